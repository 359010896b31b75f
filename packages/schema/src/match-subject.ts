import { canonicalJson, isObject } from './json.ts'
import {
  isComplex,
  subjectMembers,
  type ComplexSubject,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
  type SubjectInput,
} from './subject.ts'

/**
 * The canonical key of a simple subject: equal identifiers have equal keys whatever the order of
 * their members, and different ones never share a key.
 */
export function subjectKey(identifier: SubjectIdentifier): string {
  // The three common formats by hand: they are looked up on every request.
  const { format, id, email, iss, sub } = identifier as OtherSubject
  if (format === 'opaque' && holds(identifier, 2, id)) return `opaque ${JSON.stringify(id)}`
  if (format === 'email' && holds(identifier, 2, email)) return `email ${JSON.stringify(email)}`
  if (format === 'iss_sub' && holds(identifier, 3, iss, sub)) {
    return `iss_sub ${JSON.stringify(iss)} ${JSON.stringify(sub)}`
  }
  return canonicalJson(identifier)
}

/** Tells whether an identifier is its format and these strings, and no member besides. */
function holds(identifier: object, count: number, one: unknown, other: unknown = ''): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return false
  if (Object.keys(identifier).length === count) return true
  return Object.values(identifier).filter((value) => value !== undefined).length === count
}

/**
 * What an index in memory files an identifier under: identical identifiers have the same, and those
 * of different formats or issuers may. To build a key and hash it would cost more on every request
 * than all the rest of a check; the text that tells most is there already. {@link matches} decides.
 */
function lookupText(identifier: SubjectIdentifier): string {
  const { format, id, email, sub } = identifier as OtherSubject
  const text = format === 'opaque' ? id : format === 'email' ? email : sub
  return typeof text === 'string' ? text : canonicalJson(identifier)
}

/**
 * The one text under which an index files a subject, so that everything it can match in enforcement
 * is found by {@link lookupTexts} of the other side: that of its narrowest member.
 */
export function indexText(subject: Subject): string {
  if (!isComplex(subject)) return lookupText(subject)
  const narrowest = narrowestMember(subject)
  return narrowest ? lookupText(narrowest) : canonicalJson(subject)
}

/** The texts that find a simple subject, or of the members of a complex one. */
export function lookupTexts(subject: SubjectInput): readonly string[] {
  if (subject.format !== undefined && subject.format !== 'complex') {
    return [lookupText(subject as SubjectIdentifier)]
  }
  const members = subject as Readonly<Record<string, unknown>>
  const texts: string[] = []
  for (const name in members) {
    const identifier = members[name]
    if (name === 'format' || !isObject(identifier) || !Object.hasOwn(members, name)) continue
    texts.push(lookupText(identifier as OtherSubject))
  }
  return texts
}

/**
 * The keys under which a subject is looked up: one per member of a complex subject, and the one of
 * a simple subject. Two subjects that match by any rule of {@link matches} share a key.
 */
export function subjectKeys(subject: Subject): readonly string[] {
  if (!isComplex(subject)) return [subjectKey(subject)]
  return subjectMembers(subject).map(([, identifier]) => subjectKey(identifier))
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

/** The key of the whole subject, simple or complex: same subject, same key. */
export function principalKey(subject: Subject): string {
  if (!isComplex(subject)) return subjectKey(subject)
  return canonicalJson(subject)
}

/**
 * The key of whom an event is about: the `user` of a complex subject, else the whole subject.
 * Events with one lane keep their order.
 */
export function laneKey(subject: Subject): string {
  if (!isComplex(subject)) return subjectKey(subject)
  return subject.user ? subjectKey(subject.user) : canonicalJson(subject)
}

/**
 * How two subjects are compared.
 *
 * - `stream`: an event's subject against one that was added to a stream. Simple ones are identical;
 *   complex ones agree in every member both have, and have at least one (the working group's
 *   correction of the text); a simple one equals the `user` of a complex one.
 * - `session`: an event's subject against a live session. Every member of the event is in the session
 *   and identical: absent in the event is a wildcard, absent in the session is no match. A simple
 *   subject equals any member, for its format does not say what it names.
 */
export type MatchRule = 'stream' | 'session'

/**
 * Tells whether the subject of an event matches another one by a rule.
 *
 * @see OpenID SSF 1.0, "Subject Matching"
 */
export function matches(event: Subject, other: Subject, rule: MatchRule): boolean {
  return rule === 'stream' ? matchesStream(event, other) : matchesSession(event, other)
}

function matchesStream(event: Subject, added: Subject): boolean {
  if (!isComplex(event)) {
    return isComplex(added) ? sameAs(added.user, event) : sameAs(event, added)
  }
  if (!isComplex(added)) return sameAs(event.user, added)
  let common = 0
  for (const [name, identifier] of subjectMembers(event)) {
    const counterpart = memberOf(added, name)
    if (!counterpart) continue
    if (!sameAs(identifier, counterpart)) return false
    common++
  }
  return common > 0
}

function matchesSession(event: Subject, session: Subject): boolean {
  if (!isComplex(session)) {
    if (!isComplex(event)) return sameAs(event, session)
    const members = subjectMembers(event)
    return members.length === 1 && sameAs(members[0]?.[1], session)
  }
  if (!isComplex(event)) {
    return subjectMembers(session).some(([, identifier]) => sameAs(identifier, event))
  }
  const members = subjectMembers(event)
  // Without a member it would be a wildcard for everybody.
  if (members.length === 0) return false
  return members.every(([name, identifier]) => sameAs(memberOf(session, name), identifier))
}

function memberOf(subject: Subject, name: string): SubjectIdentifier | undefined {
  return Object.hasOwn(subject, name)
    ? (subject as Record<string, SubjectIdentifier | undefined>)[name]
    : undefined
}

function sameAs(one: SubjectIdentifier | undefined, other: SubjectIdentifier): boolean {
  if (one === undefined || one.format !== other.format) return false
  return one === other || subjectKey(one) === subjectKey(other)
}
