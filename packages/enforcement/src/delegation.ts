import {
  aliases,
  complex,
  isComplex,
  lookupTexts,
  namesOf,
  subjectKey,
  subjectMembers,
  subjectOf,
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
export function namesIn(who: Named): readonly string[] {
  const own = lookupTexts(who.subject)
  if (who.delegator === undefined) return own
  const all = [...own]
  for (const { subject } of delegatorsOf(who)) all.push(...lookupTexts(subject))
  return all
}

/** One name under which a session inherits what is said of a delegator. */
export interface Lineage {
  readonly delegator: Who
  /** Which delegator it is: 1 is the nearest. */
  readonly place: number
  /** The delegator, acting through the session or through one that it acts for. */
  readonly subject: Subject
  /**
   * True where what was delegated rests on a grant: it outlives the session in which the delegator
   * gave it, and everything that is said of that session alone.
   */
  readonly isGrant: boolean
}

/**
 * Works out what a session has inherited, the nearest delegator first. Each delegator acts through
 * the session itself, and through each that stands between: whatever names a delegator of the
 * session in any of its own ways names the session as well.
 */
export function lineageOf(who: Who, own: Subject): readonly Lineage[] {
  const chain: Link[] = [{ who, subject: own, isGrant: false }]
  let { endsWith } = who
  let isGrant = false
  for (const delegator of delegatorsOf(who)) {
    isGrant ||= endsWith === 'grant'
    endsWith = delegator.endsWith
    chain.push({ who: delegator, subject: subjectOf(delegator.subject), isGrant })
  }
  return chain.flatMap((link, place) =>
    chain.slice(0, place).flatMap((through) =>
      actingThrough(link, through).map((subject) => {
        return { delegator: link.who, place, subject, isGrant: link.isGrant }
      }),
    ),
  )
}

/** One of a chain, as the session at its end knows it. */
interface Link {
  readonly who: Who
  readonly subject: Subject
  /** Whether a grant stands between it and the session. */
  readonly isGrant: boolean
}

/** The members of a complex subject, by name. */
export type Members = ReadonlyMap<string, SubjectIdentifier>

/** What names the session in which something was delegated, and not who did. */
const ofTheSession: readonly string[] = ['session', 'device', 'token']

/**
 * The delegator with all that is known of the one that acts for it: a signal may name both, as one
 * about a user's use of an application does.
 */
function actingThrough(delegator: Link, through: Link): readonly Subject[] {
  const [above, below] = [membersIn(delegator), membersIn(through)]
  // What a simple subject names is not known: it is looked for as it is, too.
  const bare = isComplex(delegator.subject) ? [] : [delegator.subject]
  const both = joined(below, above)
  const [tenant, other] = [below.get('tenant'), above.get('tenant')]
  // Mandates and rules ask for the tenant: each has its turn, so that neither hides the other.
  const isOfTwo = tenant && other && subjectKey(tenant) !== subjectKey(other)
  const again = isOfTwo ? [complexOf(new Map([...both, ['tenant', tenant]]))] : []
  return [...bare, complexOf(both), ...again]
}

export const complexOf = (members: Members): Subject => complex(Object.fromEntries(members))

/** What one of a chain is called, as far as it says who it is and not in which session. */
function membersIn({ subject, isGrant }: Link): Members {
  const named = membersOf(subject)
  const kept = isGrant ? withoutSession(named) : named
  // Where nothing else names it, it is the session itself that the grant was given in.
  return kept.size > 0 ? kept : named
}

/** The members of a subject; a simple one is taken for a user. */
export const membersOf = (subject: Subject): Members =>
  new Map(isComplex(subject) ? subjectMembers(subject) : [['user', subject]])

/** What another login and another token leave as it is. */
export const withoutSession = (members: Members): Members =>
  new Map([...members].filter(([name]) => !ofTheSession.includes(name)))

/** Under what name one acts for another. */
export const actorIn = (members: Members): SubjectIdentifier | undefined =>
  members.get('user') ?? members.get('application')

/** Where both have a name for the same thing, either will do: it is one of the two that is meant. */
function joined(below: Members, above: Members): Members {
  const actor = actorIn(below)
  const all = new Map(actor ? [...below, ['actor', actor]] : below)
  for (const [name, other] of above) {
    const one = all.get(name)
    all.set(name, one && !ofOneAlone.includes(name) ? eitherOf(one, other) : other)
  }
  return all
}

/** The user is the delegator, and the other one its actor; tenants are never mixed. */
const ofOneAlone: readonly string[] = ['user', 'tenant']

const eitherOf = (one: SubjectIdentifier, other: SubjectIdentifier): SubjectIdentifier =>
  subjectKey(one) === subjectKey(other) ? one : aliases(...namesOf(one), ...namesOf(other))
