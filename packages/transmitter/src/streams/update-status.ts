import type { StreamStatus } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { findChangeableStream, noSuchStream, type StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Changes the status of a Receiver's stream as it asked: `paused` holds what waits, `disabled`
 * drops it. No stream-updated event is sent: that is for changes the Receiver did not ask for.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_STATIC` (403)
 * @see OpenID SSF 1.0, "Updating a Stream's Status"
 */
export async function updateStatus(
  management: StreamManagement,
  { stream_id, status, reason }: StreamStatus,
  receiver: ReceiverIdentity,
): Promise<Stream> {
  findChangeableStream(management, stream_id, receiver)
  const change = {
    status,
    status_set_by: 'receiver' as const,
    ...(reason === undefined ? {} : { reason }),
  }
  const stream = await management.streams.changeStatus(stream_id, change)
  if (!stream) throw noSuchStream()
  management.changed('stream:updated', stream)
  return stream
}
