import {
  fileSubject,
  StreamError,
  type RemoveSubjectRequest,
  type Subject,
} from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
import type { SubjectState } from '../store/transmitter-store.ts'
import { findChangeableStream, noSuchStream, type StreamManagement } from './stream-management.ts'

/**
 * Adds a subject to a Receiver's stream, or removes it. Whether anybody knows the subject makes no
 * difference: neither the answer nor its time tells. A removal holds after the grace period, so
 * that whoever got hold of a Receiver's token cannot silence it at once.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_STATIC` (403), `ERR_STREAM_REQUEST`
 *   (400)
 * @see OpenID SSF 1.0, "Adding a Subject to a Stream"; "Removing a Subject"; "Malicious Subject
 *   Removal"
 */
export async function changeSubject(
  management: StreamManagement,
  { stream_id, subject }: RemoveSubjectRequest,
  { receiver, wanted }: { readonly receiver: ReceiverIdentity; readonly wanted: SubjectState },
): Promise<void> {
  const { subjects, settings } = management
  checkCanBeFiled(subject, settings)
  const stream = findChangeableStream(management, stream_id, receiver)
  const graceSeconds = wanted === 'removed' ? settings.subjects.removalGraceSeconds : 0
  const from = graceSeconds > 0 ? settings.clock.now() + graceSeconds * 1000 : undefined
  if (!(await subjects.change(stream, subject, wanted, from))) throw noSuchStream()
  management.subjectChanged(stream, wanted)
}

/** What no stream can have is 400, also where there is no such stream. */
function checkCanBeFiled(subject: Subject, { subjects }: Settings): void {
  try {
    fileSubject(subject, subjects.matching)
  } catch (error) {
    throw new StreamError('ERR_STREAM_REQUEST', 400, `"subject": ${(error as Error).message}`)
  }
}
