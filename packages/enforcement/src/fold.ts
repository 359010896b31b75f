import {
  endsGrants,
  isComplex,
  namesOf,
  principalKey,
  subjectKey,
  subjectKeys,
  type Subject,
  type SubjectIdentifier,
} from '@drawbridge/schema'
import { createAuthority, type Authority } from './authority/authority.ts'
import type { Ruling } from './blast-radius/acts.ts'
import { harder, hardness, milder, type Effect, type Terms } from './effect.ts'
import { boundaryCause, isExpired, type LedgerEntry } from './ledger/ledger-entry.ts'
import { linesOf, type Line, type Session } from './session.ts'

/** What one entry does to one session. */
export interface Held {
  readonly entry: LedgerEntry
  /** The entry's effect, as far as it goes for this session at this moment. */
  readonly effect: Effect
  readonly terms: Terms
  /** The time that it left the session has run out: only a new session is of use. */
  readonly ended?: true
  /** It came above its Transmitter's budget: an operator's `confirm` or `release` decides. */
  readonly awaitsOperator?: true
  /** The delegator that it names, where the session has inherited it. */
  readonly delegator?: Subject
}

/** Which grants a session has left. */
export interface GrantLimits {
  /** These are taken. */
  readonly taken: readonly string[]
  /** Only these are left; absent where all others are. */
  readonly left?: readonly string[]
}

/** What an authentication must be like that gives a session back. */
export interface Reauthentication {
  /** The strongest that is asked for. */
  readonly acr?: string
  /** NumericDate, whole seconds: it must be later. */
  readonly after: number
  /** How old it may be, in seconds. */
  readonly maxAgeSeconds?: number
}

/** The state of one session. */
export interface Fold {
  /** The hardest effect in force; absent when nothing was taken. */
  readonly effect?: Effect
  /** What takes something. */
  readonly taken: readonly Held[]
  /** What would, if its Transmitter were not only observed. */
  readonly observed: readonly Held[]
  /** Absent where no grant is taken. */
  readonly grants?: GrantLimits
  /**
   * NumericDate, seconds: when the session ends, or needs an authentication, by time alone. Absent
   * where it does not.
   */
  readonly endsAt?: number
  /** Absent where no authentication is asked for. */
  readonly reauthentication?: Reauthentication
}

/** What the fold knows besides entries and session. */
export interface FoldRules {
  /** Who may touch what. */
  readonly authority: Authority
  /** Authentication context classes, from weak to strong. */
  readonly acrOrder: readonly string[]
  /**
   * What operators and budgets have left of an entry; undefined where that is all of it. Default:
   * all of every entry.
   */
  rulingOf?(entry: LedgerEntry): Ruling | undefined
  /** Whether a session is of an account of `protect`. Default: none is. */
  isProtected?(session: Session): boolean
}

const defaultRules: FoldRules = { authority: createAuthority(), acrOrder: [] }

/**
 * Works out the state of a session from the entries of a ledger. Pure, and the same for any order
 * of the entries. What is taken from those on whose behalf the session acts is taken from it.
 *
 * @param now NumericDate, seconds
 * @param rules Default: each Transmitter touches the sessions that it logged in itself
 */
export function fold(
  entries: readonly LedgerEntry[],
  session: Session,
  now: number,
  rules: FoldRules = defaultRules,
): Fold {
  const boundaries = entries.filter(({ cause, observed: isObserved }) => {
    return cause.name === boundaryCause && !isObserved
  })
  const about: About = { now, boundaries, rules }
  const lines = linesOf(session)
  const taken: Held[] = []
  const observed: Held[] = []
  let endsAt = Infinity
  for (const entry of entries) {
    if (entry.lifted || entry.act || isExpired(entry, now)) continue
    let hardest: Reached | undefined
    for (const line of lines) {
      const reached = reach(entry, line, about)
      if (!reached) continue
      if (!reached.isObserved) endsAt = Math.min(endsAt, endOf(entry, line))
      if (isHarder(reached, hardest)) hardest = reached
    }
    if (hardest?.held) (hardest.isObserved ? observed : taken).push(hardest.held)
  }
  return {
    taken,
    observed,
    ...combine(taken, rules.acrOrder),
    ...(endsAt < Infinity && { endsAt }),
  }
}

/** What an entry that may touch a session does to it. */
interface Reached {
  /** Absent where that is nothing at the moment. */
  readonly held?: Held
  readonly isObserved: boolean
}

/** Of what reaches a session by several names, the hardest counts, and what is enforced most. */
function isHarder({ held, isObserved }: Reached, than: Reached | undefined): boolean {
  if (!held) return false
  if (!than?.held || isObserved !== than.isObserved) return !isObserved || !than?.held
  return hardness(held.effect) > hardness(than.held.effect)
}

function reach(entry: LedgerEntry, line: Line, about: About): Reached | undefined {
  const { rules, boundaries } = about
  const may = rules.authority.reach(entry, line)
  if (!may || !isSameOwner(entry, line, boundaries)) return undefined
  if (line.isGrant && !reachesGrant(entry, line)) return undefined
  const { takes, hardest } = rules.rulingOf?.(entry) ?? unruled
  if (takes === 'nothing') return undefined
  const isProtected = rules.isProtected?.(line) ?? false
  const limit = isProtected ? 'reauthenticate' : milder(may.hardest, hardest)
  const held = hold(entry, limit, { session: line, isProtected, ...about })
  // Who was ended by time alone gets it back: only what the entry itself ended is carried out.
  if (takes === 'terminate' && (held?.effect !== 'terminate' || held.ended)) return undefined
  const isObserved = may.isObserved || entry.observed === true
  if (!held) return { isObserved }
  const isInherited = line.isGrant !== undefined
  return {
    held: {
      ...held,
      ...(hardest === 'suspend' &&
        held.effect === 'suspend' &&
        ({ awaitsOperator: true } as const)),
      ...(isInherited && { delegator: line.subject }),
    },
    isObserved,
  }
}

/**
 * A cut ends what rests on an authentication, and a grant does not: it rests on the account, and
 * what holds of that. It is reached where it is named itself, or where grants are what is ended.
 */
const reachesGrant = (entry: LedgerEntry, line: Line): boolean =>
  entry.reaches === 'all' || endsGrants(entry.cause.name) || namesSession(entry, line)

const unruled: Ruling = { takes: 'all', hardest: 'terminate' }

/** NumericDate, seconds: when time alone ends or challenges a session that an entry reaches. */
function endOf(entry: LedgerEntry, session: Session): number {
  const { effect, terms = {} } = effectOn(entry, session)
  if (!reaches(entry, session)) return Infinity
  if (effect === 'shorten') {
    return Math.max(entry.since, session.began) + (terms.lifetimeSeconds ?? Infinity)
  }
  return effect === 'reauthenticate' && entry.reaches === 'all'
    ? session.began + (terms.maxAgeSeconds ?? Infinity)
    : Infinity
}

/** What entries are judged by. */
interface About {
  readonly now: number
  readonly boundaries: readonly LedgerEntry[]
  readonly rules: FoldRules
}

/** What they are judged for. */
interface AboutLine extends About {
  readonly session: Session
  readonly isProtected: boolean
}

/** What an entry that names a session does to it, and no more than the hardest effect. */
function hold(entry: LedgerEntry, hardest: Effect, about: AboutLine): Held | undefined {
  const { session, now, isProtected } = about
  const { effect, terms = {} } = effectOn(entry, session)
  if (effect === null) return undefined
  // Without its grants a protected account would be of no use, and no login returns them.
  const isOther = isProtected && effect === 'restrict'
  // A milder one keeps its terms; of a harder one only the name is left.
  const isCapped = isOther || hardness(effect) > hardness(hardest)
  const held: Held = isCapped ? { entry, effect: hardest, terms: {} } : { entry, effect, terms }
  if (held.effect === 'reauthenticate') return challenge(held, hardest, about)
  if (!reaches(entry, session)) return undefined
  const hasEnded = held.effect === 'shorten' && endOf(entry, session) <= now
  return hasEnded ? outOfTime(held, hardest) : held
}

/** Its time ends a session no harder than its Transmitter may; where that is a login, one will do. */
const outOfTime = (held: Held, hardest: Effect): Held =>
  hardest === 'reauthenticate'
    ? { ...held, effect: hardest }
    : { ...held, effect: hardest, ended: true }

const effectOn = (entry: LedgerEntry, session: Session): { effect: Effect | null; terms?: Terms } =>
  entry.instead?.find(
    ({ kind, tenant }) =>
      (kind === undefined || kind === session.kind) &&
      (tenant === undefined || subjectKey(tenant) === tenantKey(session)),
  ) ?? entry

const tenantKey = ({ subject }: Session): string | undefined =>
  isComplex(subject) && subject.tenant ? subjectKey(subject.tenant) : undefined

/** Authenticating again is what gives it back, in the same session and under a condition as well. */
function challenge(held: Held, hardest: Effect, about: AboutLine): Held | undefined {
  const { session, now, rules } = about
  const { entry, terms } = held
  if (beganBefore(entry, session)) {
    const { graceSeconds = Infinity } = terms
    return now <= entry.since + graceSeconds ? held : outOfTime(held, hardest)
  }
  // A cut never reaches what began later; a condition wants its terms met whenever it began.
  if (entry.reaches !== 'all') return undefined
  const isStrong = terms.acr === undefined || satisfies(session.acr, terms.acr, rules.acrOrder)
  return isStrong && now - session.began <= (terms.maxAgeSeconds ?? Infinity) ? undefined : held
}

const reaches = (entry: LedgerEntry, session: Session): boolean =>
  entry.reaches === 'all' || namesSession(entry, session) || beganBefore(entry, session)

/** Whole seconds are all that `auth_time` knows: the same second counts as before. */
const beganBefore = (entry: LedgerEntry, session: Session): boolean =>
  session.began <= Math.floor(entry.since)

/** Members that name a single session: the id says which one is meant, and no clock needs to. */
const singleMembers = ['session', 'token', 'grant'] as const

function namesSession({ on }: LedgerEntry, { subject }: Session): boolean {
  return singleMembers.some((name) => {
    const meant = memberOf(on, name) ?? (isComplex(on) ? undefined : on)
    const id = memberOf(subject, name)
    return meant !== undefined && id !== undefined && isSame(meant, id)
  })
}

/** One name of each will do. */
const isSame = (one: SubjectIdentifier, other: SubjectIdentifier): boolean =>
  namesOf(one).some((name) => namesOf(other).some((id) => subjectKey(name) === subjectKey(id)))

const memberOf = (subject: Subject, name: string): SubjectIdentifier | undefined =>
  isComplex(subject) && Object.hasOwn(subject, name)
    ? (subject as unknown as Record<string, SubjectIdentifier>)[name]
    : undefined

/**
 * An address that was given to somebody else: what was said before reaches who had it before, and
 * what is said now reaches who has it now.
 */
function isSameOwner(
  entry: LedgerEntry,
  session: Session,
  boundaries: readonly LedgerEntry[],
): boolean {
  return boundaries.every((boundary) => {
    if (boundary.cause.iss !== entry.cause.iss) return true
    if (!subjectKeys(entry.on).includes(principalKey(boundary.on))) return true
    return entry.since < boundary.since === beganBefore(boundary, session)
  })
}

type Combined = Omit<Fold, 'taken' | 'observed' | 'endsAt'>

function combine(taken: readonly Held[], acrOrder: readonly string[]): Combined {
  let effect: Effect | undefined
  for (const held of taken) effect = harder(effect, held.effect)
  if (effect === undefined) return {}
  const grants = limitsOf(taken.filter((held) => held.effect === 'restrict'))
  const asked = taken.filter((held) => held.effect === 'reauthenticate')
  return {
    effect,
    ...(grants && { grants }),
    ...(asked.length > 0 && { reauthentication: strongest(asked, acrOrder) }),
  }
}

/** By intersection: what one of them takes is taken, and left is what all of them leave. */
function limitsOf(restrictions: readonly Held[]): GrantLimits | undefined {
  if (restrictions.length === 0) return undefined
  const taken = new Set(restrictions.flatMap(({ terms }) => terms.take ?? []).toSorted())
  const lists = restrictions.flatMap(({ terms }) => (terms.leave ? [terms.leave] : []))
  const [first, ...others] = lists
  if (!first) return { taken: [...taken] }
  const left = first.filter((grant) => others.every((list) => list.includes(grant)))
  return { taken: [...taken], left: left.filter((grant) => !taken.has(grant)).toSorted() }
}

function strongest(asked: readonly Held[], acrOrder: readonly string[]): Reauthentication {
  const acrs = asked.flatMap(({ terms }) => (terms.acr === undefined ? [] : [terms.acr]))
  const ages = asked.flatMap(({ terms }) => terms.maxAgeSeconds ?? [])
  const [acr] = acrs.toSorted((one, other) => {
    return acrOrder.indexOf(other) - acrOrder.indexOf(one) || (one < other ? -1 : 1)
  })
  return {
    after: Math.max(...asked.map(({ entry }) => Math.floor(entry.since))),
    ...(acr !== undefined && { acr }),
    ...(ages.length > 0 && { maxAgeSeconds: Math.min(...ages) }),
  }
}

/** Tells whether an authentication context class is the one that is asked for, or a stronger one. */
function satisfies(acr: string | undefined, asked: string, acrOrder: readonly string[]): boolean {
  if (acr === undefined || acr === asked) return acr === asked
  const place = acrOrder.indexOf(asked)
  return place >= 0 && acrOrder.indexOf(acr) > place
}
