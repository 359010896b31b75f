import type { Emitter } from '@drawbridge/core'
import { createDelivery, type Delivery } from './delivery/delivery.ts'
import type { ApiContext } from './http/call.ts'
import type { MakeJti } from './jti.ts'
import { openKeyRing, type KeyRing } from './keys/key-ring.ts'
import { createSealer } from './keys/sealer.ts'
import { createOutbox } from './outbox.ts'
import type { Settings } from './settings.ts'
import type { StreamChange, StreamManagement } from './streams/stream-management.ts'
import { openStreamRegistry, type StreamRegistry } from './streams/stream-registry.ts'
import type { Stream } from './streams/stream.ts'
import { createTransmit, type Transmit } from './transmit/transmit.ts'
import type { TransmitterEvents } from './transmitter-events.ts'

/** What a Transmitter has while it is started. */
export interface Started {
  readonly api: ApiContext
  readonly transmit: Transmit
  stop(): Promise<void>
}

/** What a start needs. */
export interface StartContext {
  readonly settings: Settings
  readonly emitter: Emitter<TransmitterEvents>
  readonly makeJti: MakeJti
}

/**
 * Opens what is in the store and begins to deliver.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, `ERR_STORAGE_VERSION`, `ERR_STORAGE_SECRET`
 */
export async function startTransmitter(context: StartContext): Promise<Started> {
  const { settings, emitter, makeJti } = context
  const { store, clock } = settings
  const { keys, streams } = await openStore(settings)
  const delivery = createDelivery({ store, settings, clock, emitter, key: () => keys.active })
  const outbox = createOutbox({
    store,
    settings,
    makeJti,
    emitter,
    wake: (streamId) => delivery.wake(streamId),
  })
  const management: StreamManagement = {
    settings,
    streams,
    outbox,
    changed: (change, stream) => announce(change, stream, { ...context, delivery }),
    verifiedAt: new Map(),
  }
  for (const stream of streams.list()) delivery.update(stream)
  return {
    api: { management, delivery, keys },
    transmit: createTransmit({ settings, makeJti, streams, outbox }),
    stop: async () => {
      await delivery.stop()
      await store.close()
    },
  }
}

async function openStore({
  store,
  secret,
  algorithm,
}: Settings): Promise<{ readonly keys: KeyRing; readonly streams: StreamRegistry }> {
  await store.open()
  try {
    const [forKeys, forHeaders] = await Promise.all([
      createSealer(secret, 'signing keys at rest'),
      createSealer(secret, 'authorization headers at rest'),
    ])
    const keys = await openKeyRing(store, forKeys, algorithm)
    return { keys, streams: await openStreamRegistry(store, forHeaders) }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Tells the delivery first: listeners hear of what is so. */
function announce(
  change: StreamChange,
  stream: Stream,
  { settings, emitter, delivery }: StartContext & { readonly delivery: Delivery },
): void {
  const { stream_id, receiver, status, reason } = stream
  const about = { at: settings.clock.now(), stream_id }
  switch (change) {
    case 'stream:created':
      delivery.update(stream)
      emitter.emit(change, { ...about, receiver })
      return
    case 'stream:updated':
      delivery.update(stream)
      emitter.emit(change, { ...about, status, ...(reason === undefined ? {} : { reason }) })
      return
    case 'stream:deleted':
      delivery.remove(stream_id)
      emitter.emit(change, about)
  }
}
