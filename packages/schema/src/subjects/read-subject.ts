import { SetError } from '../errors.ts'
import { isObject } from '../json.ts'
import { formatOf, identifierFormats, type IdentifierFormats } from './identifier-formats.ts'
import {
  complex,
  isComplex,
  namesOf,
  subjectMembers,
  type ComplexSubject,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
  type SubjectInput,
} from './subject.ts'
import { subjectKey } from './subject-keys.ts'

/**
 * Returns a subject as it travels on the wire, checked: simple or complex, each known format with
 * its members, nothing empty. Members that a format does not describe are kept and count for
 * nothing.
 *
 * @param name What the subject is called in an error
 * @param formats Default: {@link identifierFormats}
 * @throws SetError `ERR_SET_SUBJECT` (`invalid_request`) that names the member and what would be
 *   right
 * @see RFC 9493, "Subject Identifiers"; OpenID SSF 1.0, "Subject Members in SSF Events"
 */
export function readSubject(
  value: unknown,
  name = 'sub_id',
  formats: IdentifierFormats = identifierFormats,
): Subject {
  if (!isObject(value)) throw invalid(`"${name}" must be a Subject Identifier, an object`)
  if (value['format'] === 'complex') return readComplex(value, name, formats)
  return readIdentifier(value, name, formats)
}

/** {@link readSubject} for what an application wrote: members without `format` are a complex subject. */
export function subjectOf(input: SubjectInput, name = 'subject'): Subject {
  checkSubject(input, name)
  return input.format === undefined ? complex(input) : input
}

/**
 * The judgement of {@link subjectOf} alone, for whoever asks on every request: nothing is made.
 *
 * @throws SetError `ERR_SET_SUBJECT` (`invalid_request`)
 */
export function checkSubject(input: SubjectInput, name = 'subject'): void {
  const members: unknown = input
  if (isObject(members) && members['format'] === undefined) {
    readComplex(members, name, identifierFormats)
  } else readSubject(members, name)
}

/**
 * Refuses what may be read and not be written: members that a known format does not describe, and
 * the same name twice among aliases.
 *
 * @throws SetError `ERR_SET_SUBJECT` (`invalid_request`)
 * @see RFC 9493, "Subject Identifiers"
 */
export function checkWrittenSubject(
  subject: Subject,
  name = 'sub_id',
  formats: IdentifierFormats = identifierFormats,
): void {
  const members = isComplex(subject)
    ? subjectMembers(subject).map(([member, value]) => [`${name}.${member}`, value] as const)
    : [[name, subject] as const]
  for (const [path, member] of members) {
    const names = namesOf(member)
    if (new Set(names.map(subjectKey)).size < names.length) {
      throw invalid(`"${path}.identifiers" must not have the same name twice`)
    }
    for (const identifier of new Set([member, ...names])) {
      const undescribed = undescribedMember(identifier, formats)
      if (undescribed !== undefined) {
        throw invalid(`"${path}" has a member that its format does not describe: leave it out`)
      }
    }
  }
}

function undescribedMember(
  identifier: SubjectIdentifier,
  formats: IdentifierFormats,
): string | undefined {
  const format = formatOf(identifier.format, formats)
  if (!format || format.open === true) return undefined
  return Object.entries(identifier).find(
    ([member, value]) =>
      member !== 'format' && value !== undefined && !Object.hasOwn(format.members, member),
  )?.[0]
}

/** Complex members that every Receiver of this version can process. */
export const predefinedMembers: readonly string[] = [
  'user',
  'device',
  'session',
  'application',
  'tenant',
  'org_unit',
  'group',
]

/**
 * Finds a member of a complex subject that its Transmitter calls critical and that the Receiver
 * cannot process: its event must be discarded.
 *
 * @param critical `critical_subject_members` of the Transmitter's metadata
 * @param processed Members the Receiver knows. Default: {@link predefinedMembers}
 * @see OpenID SSF 1.0, "Receiver Subject Processing"
 */
export function unprocessedMember(
  subject: Subject,
  critical: readonly string[],
  processed: readonly string[] = predefinedMembers,
): string | undefined {
  if (!isComplex(subject)) return undefined
  return critical.find((name) => Object.hasOwn(subject, name) && !processed.includes(name))
}

const { hasOwnProperty } = Object.prototype

function readComplex(
  value: Record<string, unknown>,
  name: string,
  formats: IdentifierFormats,
): ComplexSubject {
  let members = 0
  // Twice as fast as over `Object.keys`, and on the path of every request. Within the loop over the
  // members the compiler knows the answer of `hasOwnProperty`, and does not of `Object.hasOwn`.
  for (const member in value) {
    if (!hasOwnProperty.call(value, member)) continue
    const identifier = value[member]
    if (identifier === undefined || member === 'format') continue
    if (!isObject(identifier)) throw invalid(`"${name}.${member}" must be a Subject Identifier`)
    if (identifier['format'] === 'complex') {
      throw invalid(`"${name}.${member}" must be a simple subject: complex ones do not nest`)
    }
    readIdentifier(identifier, name, formats, member)
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
  formats: IdentifierFormats,
  member?: string,
): SubjectIdentifier {
  const format = value['format']
  if (formats === identifierFormats && holdsPlainly(format, value)) {
    return value as unknown as SubjectIdentifier
  }
  const path = (): string => (member === undefined ? name : `${name}.${member}`)
  if (typeof format !== 'string' || format === '') {
    throw invalid(`"${path()}.format" must name an Identifier Format, such as "iss_sub"`)
  }
  const checks = formatOf(format, formats)?.members
  for (const needed in checks) {
    const problem = checks[needed]?.(Object.hasOwn(value, needed) ? value[needed] : undefined)
    if (problem !== undefined) {
      throw invalid(`"${path()}.${needed}" ${problem}: the format needs it`)
    }
  }
  if (format === 'aliases') checkAliases(value as OtherSubject, path(), formats)
  return value as unknown as SubjectIdentifier
}

/** The two formats of most sessions without the table: they are judged on every request. */
function holdsPlainly(format: unknown, { id, iss, sub }: Record<string, unknown>): boolean {
  if (format === 'opaque') return isText(id)
  return format === 'iss_sub' && isText(iss) && isText(sub)
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

function checkAliases(
  { identifiers }: OtherSubject,
  path: string,
  formats: IdentifierFormats,
): void {
  for (const [place, identifier] of (identifiers as Record<string, unknown>[]).entries()) {
    const name = `${path}.identifiers[${place}]`
    if (identifier['format'] === 'aliases' || identifier['format'] === 'complex') {
      throw invalid(`"${name}" must be a simple subject: aliases do not nest`)
    }
    readIdentifier(identifier, name, formats)
  }
}

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_SUBJECT', 'invalid_request', message)
