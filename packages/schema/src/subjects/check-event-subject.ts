import { SetError } from '../errors.ts'
import type { EventType } from '../event-type.ts'
import { checkWrittenSubject } from './read-subject.ts'
import { isComplex, type Subject } from './subject.ts'

/**
 * Refuses a subject that an event of a type must not be sent with: one with members that nobody
 * describes, or of a format that the type does not allow. For a complex subject the format is that
 * of its `user`.
 *
 * @throws SetError `ERR_SET_SUBJECT` (`invalid_request`)
 * @see OpenID RISC Profile 1.0, "Identifier Changed"; RFC 9967, "Identifying the Subject of an
 *   Event"
 */
export function checkEventSubject({ name, subjects }: EventType, subject: Subject): void {
  checkWrittenSubject(subject, 'subject')
  const { formats } = subjects
  const format = isComplex(subject) ? subject.user?.format : subject.format
  if (!formats || (format !== undefined && formats.includes(format))) return
  throw new SetError(
    'ERR_SET_SUBJECT',
    'invalid_request',
    `"subject" of "${name}" must have the format ${formats.map((one) => `"${one}"`).join(' or ')}`,
  )
}
