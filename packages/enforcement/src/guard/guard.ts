import { fold, type Fold } from '../fold.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { LedgerIndex } from '../ledger/ledger-index.ts'
import { checkWho, readSession, type Who } from '../session.ts'
import { allowed, type AccessDecision, type AccessDenied } from './access-decision.ts'
import { denialResponse, type Denial } from './denial-response.ts'
import { explanationOf, type Explanation } from './explanation.ts'

/** What the guard needs to know. */
export interface GuardSettings {
  readonly toleranceSeconds: number
  readonly loginUrl?: string
  /** NumericDate, seconds. */
  now(): number
  /** The entries; undefined while the ledger has not been read. */
  index(): LedgerIndex | undefined
}

/** Answers every request from memory. */
export interface Guard {
  check(who: Who): AccessDecision
  explain(who: Who): Explanation
}

/** Makes the guard. It does no I/O, waits for nothing and keeps nothing: to ask is cheap. */
export function createGuard(settings: GuardSettings): Guard {
  const judge = (index: LedgerIndex, who: Who): Fold => {
    checkWho(who)
    const entries = index.find(who.subject)
    if (entries.length === 0) return untouched
    return fold(entries, readSession(who, settings.toleranceSeconds), settings.now())
  }

  return {
    check: (who) => {
      const index = settings.index()
      if (!index) return deny(untouched, settings)
      const state = judge(index, who)
      return state.effect === undefined ? allowed : deny(state, settings)
    },
    explain: (who) => {
      const index = settings.index()
      return explanationOf(index && judge(index, who))
    },
  }
}

/** The state of most sessions. */
const untouched: Fold = { taken: [] }

function deny({ effect, taken }: Fold, { now, loginUrl }: GuardSettings): AccessDenied {
  const causes = taken.map(({ cause }) => cause)
  const outcome = effect === 'reauthenticate' ? 'challenge' : 'refuse'
  const denial: Denial = {
    ...(effect && { effect }),
    maxAgeSeconds: maxAgeSeconds(taken, now()),
    loginHelps: effect !== undefined && taken.every(endsWithLogin),
  }
  return {
    outcome,
    ...(effect && { effect }),
    causes,
    response: (request) => denialResponse(denial, request, loginUrl),
  }
}

const endsWithLogin = ({ effect, reaches }: LedgerEntry): boolean =>
  effect === 'reauthenticate' || reaches === 'began-before'

/** An authentication of this age or younger is in a later second than every T. */
function maxAgeSeconds(taken: readonly LedgerEntry[], now: number): number {
  const latest = Math.max(0, ...taken.map(({ since }) => Math.floor(since)))
  return Math.max(0, Math.floor(now) - latest - 1)
}
