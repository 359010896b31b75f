import type { ReceiverIdentity } from '../receiver-identity.ts'
import { findChangeableStream, noSuchStream, type StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Deletes a stream of a Receiver, whatever its status, and everything that waits on it.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_STATIC` (403)
 * @see OpenID SSF 1.0, "Deleting a Stream"
 */
export async function deleteStream(
  management: StreamManagement,
  streamId: string,
  receiver: ReceiverIdentity,
): Promise<void> {
  await removeStream(management, findChangeableStream(management, streamId, receiver))
}

/**
 * Deletes a stream, whoever wants it.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404) when it was deleted meanwhile
 */
export async function removeStream(management: StreamManagement, stream: Stream): Promise<void> {
  const { streams, subjects, activity, verifiedAt, changed } = management
  const { stream_id } = stream
  if (!(await streams.remove(stream_id))) throw noSuchStream()
  verifiedAt.delete(stream_id)
  subjects.forget(stream_id)
  activity.forget(stream_id)
  changed('stream:deleted', stream)
}
