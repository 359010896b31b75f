import { StreamError } from './errors.ts'
import { isObject } from './json.ts'
import { readSubject } from './subjects/read-subject.ts'
import type { Subject } from './subjects/subject.ts'

/** @see OpenID SSF 1.0, "Adding a Subject to a Stream" */
export interface AddSubjectRequest {
  readonly stream_id: string
  readonly subject: Subject
  /** Whether the Receiver has verified the subject. Absent means `true`. */
  readonly verified?: boolean
}

/** @see OpenID SSF 1.0, "Removing a Subject" */
export interface RemoveSubjectRequest {
  readonly stream_id: string
  readonly subject: Subject
}

/**
 * Reads the body of a request to add a subject.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member
 * @see OpenID SSF 1.0, "Adding a Subject to a Stream"
 */
export function readAddSubjectRequest(value: unknown): AddSubjectRequest {
  const request = readRemoveSubjectRequest(value)
  const { verified } = value as Record<string, unknown>
  if (verified === undefined) return request
  if (typeof verified !== 'boolean') throw invalid('"verified" must be true or false')
  return { ...request, verified }
}

/**
 * Reads the body of a request to remove a subject.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member
 * @see OpenID SSF 1.0, "Removing a Subject"
 */
export function readRemoveSubjectRequest(value: unknown): RemoveSubjectRequest {
  if (!isObject(value)) throw invalid('the body must be a JSON object')
  const { stream_id } = value
  if (typeof stream_id !== 'string' || stream_id === '') {
    throw invalid('"stream_id" must be a non-empty string')
  }
  try {
    return { stream_id, subject: readSubject(value['subject'], 'subject') }
  } catch (error) {
    throw invalid((error as Error).message)
  }
}

const invalid = (message: string): StreamError =>
  new StreamError('ERR_STREAM_REQUEST', 400, message)
