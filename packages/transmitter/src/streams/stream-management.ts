import { StreamError } from '@drawbridge/schema'
import type { Outbox } from '../outbox.ts'
import type { MakeEntry } from '../outbox-entry.ts'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
import type { SubjectState } from '../store/transmitter-store.ts'
import type { Activity } from './activity.ts'
import type { StreamRegistry } from './stream-registry.ts'
import type { StreamSubjects } from './stream-subjects.ts'
import type { Stream } from './stream.ts'

/** What happened to a stream. */
export type StreamChange = 'stream:created' | 'stream:updated' | 'stream:deleted'

/** What the operations on streams share. */
export interface StreamManagement {
  readonly settings: Settings
  readonly streams: StreamRegistry
  readonly subjects: StreamSubjects
  readonly outbox: Outbox
  readonly makeEntry: MakeEntry
  readonly activity: Activity
  /** Told of every change, after it is durable. */
  readonly changed: (change: StreamChange, stream: Stream) => void
  /** Told of every subject that was added or removed, after it is durable. */
  readonly subjectChanged: (stream: Stream, change: SubjectState) => void
  /** When each stream was last verified on demand, in milliseconds since 1970. */
  readonly verifiedAt: Map<string, number>
  /** Told when something that nobody waits for was not written. */
  readonly storageFailed: (cause: unknown) => void
}

/** The owner of a stream that no Receiver may read. */
export const noReceiver = ''

/**
 * Finds a stream that a Receiver's request is about. Somebody else's does not exist for it. Such a
 * request is what counts as activity.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404)
 * @see OpenID SSF 1.0, "Stream Configuration" (`inactivity_timeout`)
 */
export function findOwnStream(
  { streams, activity }: StreamManagement,
  streamId: string,
  receiver: ReceiverIdentity,
): Stream {
  const stream = streams.find(streamId)
  if (stream?.receiver !== receiver.id || stream.receiver === noReceiver) throw noSuchStream()
  activity.note(streamId)
  return stream
}

/**
 * Finds a stream that a Receiver wants to change.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_STATIC` (403)
 */
export function findChangeableStream(
  management: StreamManagement,
  streamId: string,
  receiver: ReceiverIdentity,
): Stream {
  const stream = findOwnStream(management, streamId, receiver)
  if (!stream.is_static) return stream
  throw new StreamError(
    'ERR_STREAM_STATIC',
    403,
    'the stream is set up by the Transmitter, and can be changed there only',
  )
}

/** The answer for a stream that is not there, or not there any more. */
export const noSuchStream = (): StreamError =>
  new StreamError('ERR_STREAM_NOT_FOUND', 404, 'there is no such stream')
