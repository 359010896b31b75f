import { Secret } from '@drawbridge/core'
import { push } from '@drawbridge/schema'
import type { Sealer } from '../keys/sealer.ts'
import type {
  IssuerStore,
  OutboxEntry,
  StatusChange,
  StreamRecord,
} from '../store/transmitter-store.ts'
import type { Stream } from './stream.ts'

/** The streams of a Transmitter. Changes are durable before they are seen. */
export interface StreamRegistry {
  /** All streams, oldest first. */
  list(): readonly Stream[]
  find(streamId: string): Stream | undefined
  /** False when the Receiver has a stream and may have one only. */
  create(stream: Stream, onlyOne: boolean): Promise<boolean>
  /** The stream as it is then, its status kept; undefined when it was deleted meanwhile. */
  update(stream: Stream): Promise<Stream | undefined>
  /** The changed stream; undefined when it was deleted meanwhile. */
  changeStatus(
    streamId: string,
    change: StatusChange,
    announcement?: OutboxEntry,
  ): Promise<Stream | undefined>
  /** False when there is none. */
  remove(streamId: string): Promise<boolean>
}

/** Reads all streams from the store. */
export async function openStreamRegistry(
  store: IssuerStore,
  sealer: Sealer,
): Promise<StreamRegistry> {
  const streams = new Map<string, Stream>()
  for (const record of await store.readStreams()) {
    streams.set(record.stream_id, await openRecord(record, sealer))
  }
  return {
    list: () => [...streams.values()],
    find: (streamId) => streams.get(streamId),
    create: async (stream, onlyOne) => {
      const isNew = await store.createStream(await sealRecord(stream, sealer), onlyOne)
      if (isNew) streams.set(stream.stream_id, stream)
      return isNew
    },
    update: async (changed) => {
      const isKnown = await store.updateStream(await sealRecord(changed, sealer))
      const before = streams.get(changed.stream_id)
      if (!isKnown || !before) return undefined
      const { reason: _, status_set_by: __, ...rest } = changed
      const stream: Stream = { ...rest, ...statusOf(before) }
      streams.set(stream.stream_id, stream)
      return stream
    },
    changeStatus: async (streamId, change, announcement) => {
      const isKnown = await store.changeStatus(streamId, change, announcement)
      const before = streams.get(streamId)
      if (!isKnown || !before) return undefined
      const { reason: _, ...rest } = before
      const stream: Stream = { ...rest, ...change }
      streams.set(streamId, stream)
      return stream
    },
    remove: async (streamId) => {
      const isGone = await store.deleteStream(streamId)
      streams.delete(streamId)
      return isGone
    },
  }
}

const statusOf = ({
  status,
  reason,
  status_set_by: by,
}: Stream): Pick<Stream, 'status' | 'reason' | 'status_set_by'> => ({
  status,
  ...(reason === undefined ? {} : { reason }),
  ...(by === undefined ? {} : { status_set_by: by }),
})

async function openRecord(record: StreamRecord, sealer: Sealer): Promise<Stream> {
  const { delivery, ...rest } = record
  if (delivery.method !== push) return { ...rest, delivery }
  const { sealed_authorization: sealed, ...plain } = delivery
  if (sealed === undefined) return { ...rest, delivery: plain }
  const authorization = new Secret(await sealer.open(sealed, record.stream_id))
  return { ...rest, delivery: { ...plain, authorization } }
}

async function sealRecord(stream: Stream, sealer: Sealer): Promise<StreamRecord> {
  const { delivery, ...rest } = stream
  if (delivery.method !== push) return { ...rest, delivery }
  const { authorization, ...plain } = delivery
  if (!authorization) return { ...rest, delivery: plain }
  const sealed = await sealer.seal(authorization.reveal(), stream.stream_id)
  return { ...rest, delivery: { ...plain, sealed_authorization: sealed } }
}
