import {
  complex,
  isComplex,
  lookupTexts,
  subjectMembers,
  subjectOf,
  type ComplexSubject,
  type Subject,
  type SubjectIdentifier,
  type SubjectInput,
} from '@drawbridge/schema'
import type { Who } from './who.ts'

/** More links than this are no chain of delegations but a mistake, or an attack. */
export const longestChain = 16

/** Those on whose behalf a session acts, the nearest first. */
export function delegatorsOf({ delegator }: Pick<Named, 'delegator'>): readonly Who[] {
  if (delegator === undefined) return none
  const chain: Who[] = []
  // One that leads back to itself would have no end: it is refused where it is read.
  for (let one: Who | undefined = delegator; one !== undefined && chain.length <= longestChain;) {
    chain.push(one)
    one = one?.delegator
  }
  return chain
}

const none: readonly Who[] = []

/** What a session is called, and what its delegators are. */
export interface Named {
  readonly subject: SubjectInput
  readonly delegator?: Who
}

/** The texts under which everything is filed that can reach a session: see `lookupTexts`. */
export const namesIn = (who: Named): readonly string[] =>
  who.delegator === undefined
    ? lookupTexts(who.subject)
    : [who, ...delegatorsOf(who)].flatMap(({ subject }) => lookupTexts(subject))

/** A delegator as a delegated session knows it. */
export interface Lineage {
  readonly delegator: Who
  /** The delegator, acting through the session: what a signal about it is compared with. */
  readonly subject: Subject
  /**
   * True where what was delegated rests on a grant: it outlives the session in which the delegator
   * gave it, and everything that is said of that session alone.
   */
  readonly isGrant: boolean
}

/** Works out what a session has inherited, the nearest delegator first. */
export function lineageOf(who: Who, own: Subject): readonly Lineage[] {
  let isGrant = false
  let below = who
  return delegatorsOf(who).map((delegator) => {
    isGrant ||= below.endsWith === 'grant'
    below = delegator
    const subject = actingThrough(subjectOf(delegator.subject), own, isGrant)
    return { delegator, subject, isGrant }
  })
}

/** What names the session in which something was delegated, and not who did. */
const ofTheSession: readonly string[] = ['session', 'device', 'token']

/**
 * The delegator with all that is known of the session that acts for it: a signal may name both, as
 * one about a user's use of an application does.
 */
function actingThrough(delegator: Subject, own: Subject, isGrant: boolean): Subject {
  if (!isComplex(delegator)) return delegator
  const named = subjectMembers(delegator)
  const kept = isGrant ? named.filter(([name]) => !ofTheSession.includes(name)) : named
  // Where nothing else names it, it is the session itself that the grant was given in.
  const members = Object.fromEntries(kept.length > 0 ? kept : named)
  if (!isComplex(own)) return complex(members)
  return complex({ ...membersOf(own), ...(own.user && { actor: own.user }), ...members })
}

const membersOf = (subject: ComplexSubject): Readonly<Record<string, SubjectIdentifier>> =>
  Object.fromEntries(subjectMembers(subject))

/**
 * What stays the same of a session however many tokens it is given: its user, who acts for the user
 * (by `actor` or `application`), and the task where that is known. What is taken from it is taken
 * from a fresh token as well.
 *
 * @example
 *   await enforcement.take({ on: agentKey(who), cause: 'runaway', effect: 'suspend' })
 *
 * @throws SubjectError for a subject that cannot be read
 */
export function agentKey(who: Who): SubjectInput {
  const own = subjectOf(who.subject, 'who.subject')
  const whole = lineageOf(who, own).at(-1)?.subject ?? own
  if (!isComplex(whole)) return whole
  const kept = subjectMembers(whole).filter(([name]) => !ofTheSession.includes(name))
  return kept.length === 0 ? whole : complex(Object.fromEntries(kept))
}
