import type { Emitter } from '@drawbridge/core'
import { checkStoredProfiles } from './as-profile.ts'
import { createDelivery, type Delivery } from './delivery/delivery.ts'
import type { ApiContext } from './http/call.ts'
import type { MakeJti } from './jti.ts'
import { openKeyRing, type KeyRing } from './keys/key-ring.ts'
import { keyUpkeep } from './keys/key-upkeep.ts'
import { createPseudonym } from './keys/pseudonym.ts'
import { createSealer } from './keys/sealer.ts'
import { createMinter } from './minter.ts'
import type { OperationContext } from './operations/operation-context.ts'
import { createMakeEntry } from './outbox-entry.ts'
import { createOutbox } from './outbox.ts'
import type { Settings } from './settings.ts'
import type { IssuerStore } from './store/transmitter-store.ts'
import { openActivity, type Activity } from './streams/activity.ts'
import { applyStaticStreams } from './streams/static-streams.ts'
import type { StreamChange, StreamManagement } from './streams/stream-management.ts'
import { openStreamRegistry, type StreamRegistry } from './streams/stream-registry.ts'
import { openStreamSubjects, type StreamSubjects } from './streams/stream-subjects.ts'
import type { Stream } from './streams/stream.ts'
import { createSecondLook } from './transmit/second-look.ts'
import { createTransmit, type Transmit } from './transmit/transmit.ts'
import type { TransmitterEvents } from './transmitter-events.ts'
import { upkeepTasks } from './upkeep/upkeep-tasks.ts'
import { startUpkeep } from './upkeep/upkeep.ts'

/** What a Transmitter has while it is started. */
export interface Started {
  readonly api: ApiContext
  readonly keys: KeyRing
  readonly transmit: Transmit
  readonly operations: OperationContext
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
 * @throws SharedSignalsError `ERR_SIGNER` when a signer does not sign, or with another key
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` where a stream has a profile that nobody knows
 * @throws StreamError `ERR_STREAM_CONFLICT` where a static stream has the `stream_id` of another
 */
export async function startTransmitter(context: StartContext): Promise<Started> {
  const { settings, emitter, makeJti } = context
  const { store, keys, streams, subjects, activity } = await openStore(context)
  const delivery = createDelivery({
    store,
    settings,
    clock: settings.clock,
    emitter,
    ...createMinter({ settings, streams, keys }),
    mayLeave: createSecondLook({ settings, streams, subjects }),
  })
  const makeEntry = createMakeEntry({ ...settings, makeJti })
  const outbox = createOutbox({
    store,
    settings,
    makeEntry,
    emitter,
    wake: (streamId) => delivery.wake(streamId),
  })
  const management: StreamManagement = {
    settings,
    streams,
    subjects,
    outbox,
    makeEntry,
    activity,
    changed: (change, stream) => announce(change, stream, { ...context, delivery }),
    subjectChanged: ({ stream_id }, change) =>
      emitter.emit(`subject:${change}`, { at: settings.clock.now(), stream_id }),
    verifiedAt: new Map(),
    storageFailed: (cause) => emitter.emit('storage:failed', { at: settings.clock.now(), cause }),
  }
  const close = async (): Promise<void> => {
    await delivery.stop()
    await activity.write().catch(management.storageFailed)
    await store.close()
  }
  for (const stream of streams.list()) delivery.update(stream)
  try {
    await applyStaticStreams(management)
  } catch (error) {
    await close()
    throw error
  }
  const upkeep = startUpkeep(
    [keyUpkeep(keys), ...upkeepTasks({ management, store, delivery, emitter })],
    {
      clock: settings.clock,
      failed: (failure) => emitter.emit('upkeep:failed', { at: settings.clock.now(), ...failure }),
    },
  )
  return {
    api: { management, delivery, keys },
    keys,
    transmit: createTransmit({ settings, makeJti, streams, subjects, outbox }),
    operations: { management, store, delivery, makeJti },
    stop: async () => {
      await upkeep.stop()
      await close()
    },
  }
}

interface Opened {
  readonly store: IssuerStore
  readonly keys: KeyRing
  readonly streams: StreamRegistry
  readonly subjects: StreamSubjects
  readonly activity: Activity
}

async function openStore({ settings, emitter }: StartContext): Promise<Opened> {
  const { secret, clock } = settings
  const store = await settings.store.open(settings.issuer)
  try {
    const [forKeys, forHeaders, pseudonym] = await Promise.all([
      createSealer(secret, 'signing keys at rest'),
      createSealer(secret, 'authorization headers at rest'),
      createPseudonym(secret),
    ])
    const keys = await openKeyRing({
      ...settings,
      store,
      sealer: forKeys,
      rotated: (key) => emitter.emit('key:rotated', { at: clock.now(), ...key }),
    })
    const streams = await openStreamRegistry(store, forHeaders)
    checkStoredProfiles(streams.list(), settings.profileNamed)
    const rule = settings.subjects.matching
    const subjects = await openStreamSubjects({ store, rule, pseudonym })
    const activity = await openActivity({
      store,
      streams: streams.list(),
      isCounted: settings.inactivity !== undefined,
      now: () => settings.clock.now(),
    })
    return { store, keys, streams, subjects, activity }
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
