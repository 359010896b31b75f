import type { ReceiverIdentity } from '../receiver-identity.ts'
import { findOwnStream, noSuchStream, type StreamManagement } from './stream-management.ts'

/**
 * Deletes a stream of a Receiver, whatever its status, and everything that waits on it.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404)
 * @see OpenID SSF 1.0, "Deleting a Stream"
 */
export async function deleteStream(
  management: StreamManagement,
  streamId: string,
  receiver: ReceiverIdentity,
): Promise<void> {
  const stream = findOwnStream(management, streamId, receiver)
  if (!(await management.streams.remove(streamId))) throw noSuchStream()
  management.verifiedAt.delete(streamId)
  management.changed('stream:deleted', stream)
}
