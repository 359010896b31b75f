import { canonicalJson, isObject } from '../json.ts'
import { canonicalEmail, canonicalPhoneNumber } from './canonical-subject.ts'
import { formatOf } from './identifier-formats.ts'
import {
  isComplex,
  namesOf,
  subjectMembers,
  type ComplexSubject,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
  type SubjectInput,
} from './subject.ts'

/**
 * The canonical key of a simple subject: identical identifiers have equal keys whatever the order
 * of their members, and different ones never share a key. Of a known format, the members that it
 * describes count and no others; of an unknown one, all do.
 */
export function subjectKey(identifier: SubjectIdentifier): string {
  // The three common formats by hand: they are looked up on every request.
  const { format, id, email, iss, sub } = identifier as OtherSubject
  if (format === 'opaque' && typeof id === 'string') return `opaque ${JSON.stringify(id)}`
  if (format === 'email' && typeof email === 'string') return `email ${JSON.stringify(email)}`
  if (format === 'iss_sub' && typeof iss === 'string' && typeof sub === 'string') {
    return `iss_sub ${JSON.stringify(iss)} ${JSON.stringify(sub)}`
  }
  if (format === 'aliases') return `aliases ${canonicalJson(aliasKeys(identifier))}`
  const members = Object.keys(formatOf(format)?.members ?? {})
  const values = members.map((name) => (identifier as OtherSubject)[name])
  // What lacks a member of its format was never read as one: it equals itself alone.
  if (values.length === 0 || values.includes(undefined)) return canonicalJson(identifier)
  return `${format} ${canonicalJson(values)}`
}

/** Aliases are a set: their order and their number say nothing. */
const aliasKeys = (identifier: SubjectIdentifier): readonly string[] =>
  [...new Set(namesOf(identifier).map(subjectKey))].toSorted()

/** The key of the whole subject, simple or complex: same subject, same key. */
export function principalKey(subject: Subject): string {
  if (!isComplex(subject)) return subjectKey(subject)
  const members = subjectMembers(subject).map(([name, member]) => [name, subjectKey(member)])
  return `complex ${canonicalJson(Object.fromEntries(members))}`
}

/**
 * The key of whom an event is about: the `user` of a complex subject, else the whole subject.
 * Events with one lane keep their order.
 */
export function laneKey(subject: Subject): string {
  if (isComplex(subject) && subject.user) return subjectKey(subject.user)
  return principalKey(subject)
}

/**
 * The keys under which a subject is looked up: one per member of a complex subject, and the one of
 * a simple subject; of aliases, one per name. Two subjects that match by the rules `stream` and
 * `session` of `matches` share a key.
 */
export function subjectKeys(subject: Subject): readonly string[] {
  const members = isComplex(subject)
    ? subjectMembers(subject).map(([, identifier]) => identifier)
    : [subject]
  return members.flatMap((member) => namesOf(member).map(subjectKey))
}

/**
 * What an index in memory files an identifier under: identical identifiers have the same, and those
 * of different formats or issuers may. To build a key and hash it would cost more on every request
 * than all the rest of a check; the text that tells most is there already. `matches` decides.
 */
function lookupText(identifier: SubjectIdentifier): string {
  const { format } = identifier as OtherSubject
  // The two formats of most sessions first: members that an identifier does not have take time.
  if (format === 'opaque') return textOr((identifier as OtherSubject)['id'], identifier)
  if (format === 'iss_sub') return textOr((identifier as OtherSubject)['sub'], identifier)
  const { email, sub, jti, phone_number: number } = identifier as OtherSubject
  // What people write in several ways is filed as one of them, so that it is found by any.
  if (format === 'email' && typeof email === 'string') return canonicalEmail(email)
  if (format === 'phone_number' && typeof number === 'string') return canonicalPhoneNumber(number)
  if (format === 'scim') return subjectKey(identifier)
  return textOr(format === 'jwt_id' ? jti : sub, identifier)
}

const textOr = (text: unknown, identifier: SubjectIdentifier): string =>
  typeof text === 'string' ? text : subjectKey(identifier)

/**
 * The texts under which an index files a subject, so that everything it can match in enforcement is
 * found by {@link lookupTexts} of the other side: those of its narrowest member. More than one only
 * where that member is aliases.
 */
export function indexTexts(subject: Subject): readonly string[] {
  const member = isComplex(subject) ? narrowestMember(subject) : subject
  return member ? namesOf(member).map(lookupText) : [canonicalJson(subject)]
}

const { hasOwnProperty } = Object.prototype

/** The texts that find a simple subject, or the members of a complex one. */
export function lookupTexts(subject: SubjectInput): readonly string[] {
  const texts: string[] = []
  if (subject.format !== undefined && subject.format !== 'complex') {
    addTexts(texts, subject as OtherSubject)
    return texts
  }
  const members = subject as Readonly<Record<string, unknown>>
  for (const name in members) {
    if (!hasOwnProperty.call(members, name)) continue
    const identifier = members[name]
    if (name !== 'format' && isObject(identifier)) addTexts(texts, identifier as OtherSubject)
  }
  return texts
}

function addTexts(texts: string[], identifier: OtherSubject): void {
  if (identifier.format !== 'aliases') texts.push(lookupText(identifier))
  else for (const name of namesOf(identifier)) texts.push(lookupText(name))
}

/** From narrow to broad. An index files a complex subject under its narrowest member alone. */
const narrowness = ['session', 'device', 'user', 'application', 'group', 'org_unit', 'tenant']

function narrowestMember(subject: ComplexSubject): SubjectIdentifier | undefined {
  const rank = (name: string): number => {
    const place = narrowness.indexOf(name)
    return place < 0 ? narrowness.length : place
  }
  const [narrowest] = subjectMembers(subject).toSorted(
    ([one], [other]) => rank(one) - rank(other) || (one < other ? -1 : 1),
  )
  return narrowest?.[1]
}
