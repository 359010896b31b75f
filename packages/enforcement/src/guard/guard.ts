import { checkOptions } from '@drawbridge/core'
import { isScopeToken } from '../effect.ts'
import { fold, type Fold, type FoldRules, type GrantLimits, type Held } from '../fold.ts'
import type { LedgerIndex } from '../ledger/ledger-index.ts'
import { checkWho } from '../check-who.ts'
import type { Session } from '../session.ts'
import type { Who } from '../who.ts'
import {
  allowed,
  type AccessAllowed,
  type AccessDecision,
  type AccessDenied,
  type CheckOptions,
} from './access-decision.ts'
import {
  denialResponse,
  type Denial,
  type DenialReason,
  type DenialSettings,
} from './denial-response.ts'
import { explanationOf, restorationOf, type Explanation } from './explanation.ts'
import { isKnownUntouched, rememberUntouched } from './prepare.ts'

/** What the guard needs to know. */
export interface GuardSettings extends DenialSettings {
  /** Reads who asks, in the one way in which subjects are written. */
  read(who: Who): Session
  readonly rules: FoldRules
  /** The grants that there are, where the application has named them. */
  readonly grants?: readonly string[]
  /** NumericDate, seconds. */
  now(): number
  /** The entries; undefined while the ledger has not been read. */
  index(): LedgerIndex | undefined
  /** Whether the entries may be out of date, and nothing is let through for that. */
  isShut(): boolean
}

/** Answers every request from memory. */
export interface Guard {
  check(who: Who, options?: CheckOptions): AccessDecision
  explain(who: Who): Explanation
}

/** Makes the guard. It does no I/O, waits for nothing, and keeps nothing but in what `prepare` made. */
export function createGuard(settings: GuardSettings): Guard {
  const judge = (index: LedgerIndex, who: Who): Fold => {
    if (isKnownUntouched(who, index.version)) return untouched
    checkWho(who)
    const entries = index.find(who)
    if (entries.length === 0) {
      rememberUntouched(who, index.version)
      return untouched
    }
    return fold(entries, settings.read(who), settings.now(), settings.rules)
  }

  return {
    check: (who, options) => {
      const index = settings.index()
      if (!index) return deny('unsynchronised', untouched, settings)
      const requires = options?.requires
      if (requires) checkRequired(requires, settings.grants)
      const state = judge(index, who)
      return decide(state, who, requires, settings)
    },
    explain: (who) => {
      const index = settings.index()
      return explanationOf(index && judge(index, who))
    },
  }
}

/** The state of most sessions. */
const untouched: Fold = { taken: [], observed: [] }

function decide(
  state: Fold,
  who: Who,
  requires: readonly string[] | undefined,
  settings: GuardSettings,
): AccessDecision {
  const { effect } = state
  // What this node knows comes first: it names the cause, which being stale does not.
  if (effect === 'terminate') return deny('ended', state, settings)
  if (effect === 'suspend') return deny('suspended', state, settings)
  if (effect === 'reauthenticate') return deny('reauthenticate', state, settings)
  if (settings.isShut()) return deny('stale', untouched, settings)
  if (state.grants && !requires) return deny('restricted', state, settings)
  const taken = requires?.filter((grant) => isTaken(grant, state.grants)) ?? []
  if (taken.length > 0) return deny('restricted', state, settings, taken)
  const missing = who.grants
    ? (requires?.filter((grant) => !who.grants?.includes(grant)) ?? [])
    : []
  if (missing.length > 0) return deny('not-granted', state, settings, missing)
  const isUntouched =
    effect === undefined && state.observed.length === 0 && state.endsAt === undefined
  return isUntouched ? allowed : allow(state)
}

/** Tells whether signals have taken a grant. */
export const isTaken = (grant: string, limits: GrantLimits | undefined): boolean =>
  limits !== undefined &&
  (limits.taken.includes(grant) || (limits.left !== undefined && !limits.left.includes(grant)))

function allow({ effect, taken, observed, grants, endsAt }: Fold): AccessAllowed {
  return {
    outcome: 'allow',
    causes: causesOf(taken),
    ...(effect && { effect: effect as 'shorten' | 'restrict' }),
    ...(grants && { grants }),
    ...(endsAt !== undefined && { expiresAt: new Date(endsAt * 1000) }),
    ...(observed.length > 0 && { observed: causesOf(observed) }),
  }
}

const causesOf = (held: readonly Held[]): AccessDenied['causes'] =>
  held.map(({ entry }) => entry.cause)

function deny(
  reason: DenialReason,
  state: Fold,
  settings: GuardSettings,
  missing: readonly string[] = [],
): AccessDenied {
  const { effect, taken } = state
  const denial: Denial = {
    reason,
    loginHelps: reason !== 'not-granted' && taken.length > 0 && taken.every(endsWithLogin),
    ...loginTerms(state, settings.now()),
    ...(reason === 'not-granted' && { scope: missing }),
  }
  return {
    outcome: reason === 'reauthenticate' ? 'challenge' : 'refuse',
    causes: causesOf(taken),
    response: (request) => denialResponse(denial, request, settings),
    ...(effect && { effect }),
    ...(missing.length > 0 && { missing }),
  }
}

const endsWithLogin = (held: Held): boolean =>
  ['authentication', 'new-session'].includes(restorationOf(held))

/** What the next authentication must be like, for it to be of use. */
function loginTerms({ taken, reauthentication }: Fold, now: number): Partial<Denial> {
  // An authentication of this age or younger is in a later second than every T.
  const latest = Math.max(0, ...taken.map(({ entry }) => Math.floor(entry.since)))
  const sinceSignal = Math.max(0, Math.floor(now) - latest - 1)
  const { acr, maxAgeSeconds = Infinity } = reauthentication ?? {}
  return {
    maxAgeSeconds: Math.min(sinceSignal, Math.floor(maxAgeSeconds)),
    ...(acr !== undefined && { acr }),
  }
}

/** A grant that nobody has heard of would be one that no signal takes. */
function checkRequired(requires: readonly string[], known: readonly string[] | undefined): void {
  const isList = Array.isArray(requires)
  if (isList && requires.every((grant) => (known ? known.includes(grant) : isScopeToken(grant))))
    return
  const { check, done } = checkOptions('check')
  check(
    false,
    '"requires" must name grants: texts without spaces and quotes, from "grants" where that is given',
  )
  done()
}
