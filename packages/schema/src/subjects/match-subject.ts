import { subjectKey } from './subject-keys.ts'
import {
  isComplex,
  namesOf,
  subjectMembers,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
} from './subject.ts'

/**
 * How two subjects are compared. Everywhere, aliases match what any of their names matches.
 *
 * - `stream`: an event's subject against one that was added to a stream. Simple ones are identical;
 *   complex ones agree in every member both have, and have at least one (the working group's
 *   correction of the text); a simple one equals the `user` of a complex one.
 * - `stream-literal`: the text to the letter. Complex subjects without a common member match, a
 *   simple one never matches a complex one.
 * - `session`: an event's subject against a live session. Every member of the event is in the session
 *   and identical: absent in the event is a wildcard, absent in the session is no match. A simple
 *   subject equals any member, for its format does not say what it names.
 */
export type MatchRule = 'stream' | 'stream-literal' | 'session'

/**
 * Tells whether the subject of an event matches another one by a rule.
 *
 * @see OpenID SSF 1.0, "Subject Matching"
 */
export function matches(event: Subject, other: Subject, rule: MatchRule): boolean {
  if (rule === 'session') return matchesSession(event, other)
  return matchesStream(event, other, rule === 'stream-literal')
}

function matchesStream(event: Subject, added: Subject, literal: boolean): boolean {
  if (!isComplex(event) && !isComplex(added)) return sameAs(event, added)
  if (!isComplex(event)) return !literal && isComplex(added) && sameAs(added.user, event)
  if (!isComplex(added)) return !literal && sameAs(event.user, added)
  let common = 0
  for (const [name, identifier] of subjectMembers(event)) {
    const counterpart = memberOf(added, name)
    if (!counterpart) continue
    if (!sameAs(identifier, counterpart)) return false
    common++
  }
  return literal || common > 0
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

/** Tells whether two simple subjects are identical, or one name of each is. */
function sameAs(one: SubjectIdentifier | undefined, other: SubjectIdentifier): boolean {
  if (one === undefined) return false
  if (one === other) return true
  if (one.format === 'aliases' || other.format === 'aliases') {
    return namesOf(one).some((name) => namesOf(other).some((alias) => isIdentical(name, alias)))
  }
  return isIdentical(one, other)
}

function isIdentical(one: SubjectIdentifier, other: SubjectIdentifier): boolean {
  if (one.format !== other.format) return false
  const [a, b] = [one as OtherSubject, other as OtherSubject]
  // The two formats of most sessions without a key for each: they are compared on every request.
  if (one.format === 'opaque' && typeof a['id'] === 'string') return a['id'] === b['id']
  if (one.format === 'iss_sub' && typeof a['iss'] === 'string' && typeof a['sub'] === 'string') {
    return a['iss'] === b['iss'] && a['sub'] === b['sub']
  }
  return subjectKey(one) === subjectKey(other)
}
