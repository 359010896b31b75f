import { SetError } from './errors.ts'
import { isObject } from './json.ts'

/** @see RFC 9493, "Email Identifier Format" */
export interface EmailSubject {
  readonly format: 'email'
  readonly email: string
}

/** @see RFC 9493, "Issuer and Subject Identifier Format" */
export interface IssSubSubject {
  readonly format: 'iss_sub'
  readonly iss: string
  readonly sub: string
}

/** @see RFC 9493, "Opaque Identifier Format" */
export interface OpaqueSubject {
  readonly format: 'opaque'
  readonly id: string
}

/**
 * A Subject Identifier of a format that this version does not know. Kept as it came; matches only
 * itself.
 */
export interface OtherSubject {
  readonly format: string & {}
  readonly [member: string]: unknown
}

/** A Subject Identifier of one format: a simple subject. */
export type SubjectIdentifier = EmailSubject | IssSubSubject | OpaqueSubject | OtherSubject

/**
 * The members of a complex subject: together they name one Subject Principal, and a member that is
 * absent is a wildcard. Other member names may occur.
 *
 * @see OpenID SSF 1.0, "Complex Subjects"
 */
export interface ComplexSubjectMembers {
  readonly user?: SubjectIdentifier
  readonly device?: SubjectIdentifier
  readonly session?: SubjectIdentifier
  readonly application?: SubjectIdentifier
  readonly tenant?: SubjectIdentifier
  readonly org_unit?: SubjectIdentifier
  readonly group?: SubjectIdentifier
}

/** @see OpenID SSF 1.0, "Complex Subjects" */
export interface ComplexSubject extends ComplexSubjectMembers {
  readonly format: 'complex'
}

/** What an event is about: `sub_id`. */
export type Subject = SubjectIdentifier | ComplexSubject

/** How an application writes a subject: as on the wire, or just the members of a complex one. */
export type SubjectInput = Subject | (ComplexSubjectMembers & { readonly format?: undefined })

/** Names a mailbox: `email('a@b.example')`. */
export const email = (address: string): EmailSubject => ({ format: 'email', email: address })

/** Names a principal by issuer and `sub`, as an ID Token does. */
export const issSub = (iss: string, sub: string): IssSubSubject => ({ format: 'iss_sub', iss, sub })

/** Names a thing by an identifier without meaning, such as a session or a device id. */
export const opaque = (id: string): OpaqueSubject => ({ format: 'opaque', id })

/** Names one principal by several members: `complex({ user, device })`. */
export const complex = (members: ComplexSubjectMembers): ComplexSubject => ({
  ...members,
  format: 'complex',
})

/** Tells whether a subject is a complex one. */
export const isComplex = (subject: Subject): subject is ComplexSubject =>
  subject.format === 'complex'

/** The members of a complex subject with their names, absent ones left out. */
export function subjectMembers(
  subject: ComplexSubject,
): readonly (readonly [name: string, identifier: SubjectIdentifier])[] {
  return Object.entries(subject).filter(
    (entry): entry is [string, SubjectIdentifier] => entry[0] !== 'format' && isObject(entry[1]),
  )
}

/** The first member that a known format needs and an identifier has not, or not as text. */
function missingMember(value: Record<string, unknown>): string | undefined {
  switch (value['format']) {
    case 'email':
      return isText(value['email']) ? undefined : 'email'
    case 'iss_sub':
      if (!isText(value['iss'])) return 'iss'
      return isText(value['sub']) ? undefined : 'sub'
    case 'opaque':
      return isText(value['id']) ? undefined : 'id'
    default:
      return undefined
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/**
 * `local@domain` without white space: RFC 9493 wants an addr-spec; deliverability cannot be
 * checked.
 */
const addrSpec = /^[^\s@]+(?:@[^\s@]+)?@[^\s@]+$/

/**
 * Returns a subject as it travels on the wire, checked: simple or complex, each known format with
 * its members, nothing empty.
 *
 * @throws SetError `ERR_SET_SUBJECT` (`invalid_request`) that names the member and what would be
 *   right
 * @see RFC 9493, "Subject Identifiers"; OpenID SSF 1.0, "Subject Members"
 */
export function readSubject(value: unknown, name = 'sub_id'): Subject {
  if (!isObject(value)) throw invalid(`"${name}" must be a Subject Identifier, an object`)
  if (value['format'] === 'complex') return readComplex(value, name)
  return readIdentifier(value, name)
}

/** {@link readSubject} for what an application wrote: members without `format` are a complex subject. */
export function subjectOf(input: SubjectInput, name = 'subject'): Subject {
  checkSubject(input, name)
  return input.format === undefined ? { ...input, format: 'complex' } : input
}

/**
 * The judgement of {@link subjectOf} alone, for whoever asks on every request: nothing is made.
 *
 * @throws SetError `ERR_SET_SUBJECT` (`invalid_request`)
 */
export function checkSubject(input: SubjectInput, name = 'subject'): void {
  const members: unknown = input
  if (isObject(members) && members['format'] === undefined) readComplex(members, name)
  else readSubject(members, name)
}

function readComplex(value: Record<string, unknown>, name: string): ComplexSubject {
  let members = 0
  // Twice as fast as over `Object.keys`, and on the path of every request.
  for (const member in value) {
    const identifier = value[member]
    if (member === 'format' || identifier === undefined || !Object.hasOwn(value, member)) continue
    if (!isObject(identifier)) throw invalid(`"${name}.${member}" must be a Subject Identifier`)
    if (identifier['format'] === 'complex') {
      throw invalid(`"${name}.${member}" must be a simple subject: complex ones do not nest`)
    }
    readIdentifier(identifier, name, member)
    members++
  }
  if (members === 0) throw invalid(`"${name}" is complex and needs at least one member`)
  return value as unknown as ComplexSubject
}

/**
 * The name comes in two parts, put together only where something is wrong: most of the time nothing
 * is.
 */
function readIdentifier(
  value: Record<string, unknown>,
  name: string,
  member?: string,
): SubjectIdentifier {
  const path = (): string => (member === undefined ? name : `${name}.${member}`)
  const format = value['format']
  if (typeof format !== 'string' || format === '') {
    throw invalid(`"${path()}.format" must name an Identifier Format, such as "iss_sub"`)
  }
  const missing = missingMember(value)
  if (missing !== undefined) {
    throw invalid(`"${path()}.${missing}" must be a non-empty string: the format needs it`)
  }
  if (format === 'email' && !addrSpec.test(String(value['email']))) {
    throw invalid(`"${path()}.email" must be an address such as a@b.example`)
  }
  return value as unknown as SubjectIdentifier
}

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_SUBJECT', 'invalid_request', message)
