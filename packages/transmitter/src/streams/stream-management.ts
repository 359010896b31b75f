import { StreamError } from '@drawbridge/schema'
import type { Outbox } from '../outbox.ts'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
import type { StreamRegistry } from './stream-registry.ts'
import type { Stream } from './stream.ts'

/** What happened to a stream. */
export type StreamChange = 'stream:created' | 'stream:updated' | 'stream:deleted'

/** What the operations on streams share. */
export interface StreamManagement {
  readonly settings: Settings
  readonly streams: StreamRegistry
  readonly outbox: Outbox
  /** Told of every change, after it is durable. */
  readonly changed: (change: StreamChange, stream: Stream) => void
  /** When each stream was last verified on demand, in milliseconds since 1970. */
  readonly verifiedAt: Map<string, number>
}

/**
 * Finds a stream of a Receiver. Somebody else's does not exist for it.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404)
 */
export function findOwnStream(
  { streams }: StreamManagement,
  streamId: string,
  receiver: ReceiverIdentity,
): Stream {
  const stream = streams.find(streamId)
  if (stream?.receiver === receiver.id) return stream
  throw noSuchStream()
}

/** The answer for a stream that is not there, or not there any more. */
export const noSuchStream = (): StreamError =>
  new StreamError('ERR_STREAM_NOT_FOUND', 404, 'there is no such stream')
