import { opaque, type StreamStatusValue } from '@drawbridge/schema'
import { StreamUpdated } from '@drawbridge/schema/ssf'
import type { OutboxEntry } from '../store/transmitter-store.ts'
import { noSuchStream, type StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/** A status that the Transmitter gives a stream, and why, in a short text that its Receiver reads. */
export interface StatusToSet {
  readonly status: StreamStatusValue
  readonly reason?: string
}

/**
 * Changes the status of a stream without its Receiver having asked. The Receiver is told by a
 * Stream Updated Event, which is recorded in the same transaction: there is no change without it.
 * Where the stream has the status already, nothing is changed and nobody is told.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404) when it was deleted meanwhile
 * @see OpenID SSF 1.0, "Stream Updated Event"
 */
export async function setStatus(
  management: StreamManagement,
  stream: Stream,
  { status, reason }: StatusToSet,
): Promise<Stream> {
  if (stream.status === status) return stream
  const { streams, activity, changed } = management
  const toSet = { status, ...(reason === undefined ? {} : { reason }) }
  const change = { ...toSet, status_set_by: 'transmitter' as const }
  const announcement = announcementOf(management, stream, toSet)
  const after = await streams.changeStatus(stream.stream_id, change, announcement)
  if (!after) throw noSuchStream()
  // It would be stopped again at once where it was stopped for want of activity.
  if (status === 'enabled') activity.note(stream.stream_id)
  changed('stream:updated', after)
  return after
}

function announcementOf(
  { settings, makeEntry }: StreamManagement,
  stream: Stream,
  payload: StatusToSet,
): OutboxEntry {
  const event = {
    type: StreamUpdated.uri,
    payload,
    subject: opaque(stream.stream_id),
    txn: crypto.randomUUID(),
    iat: Math.floor(settings.clock.now() / 1000),
  }
  return makeEntry(event, 'announcement')(stream)
}
