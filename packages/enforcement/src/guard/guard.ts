import { fold, type Fold } from '../fold.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { LedgerIndex } from '../ledger/ledger-index.ts'
import { readSession, type Session, type Who } from '../session.ts'
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

interface Known {
  readonly subject: Who['subject']
  readonly began: Who['began']
  readonly session: Session
  /** The index and its version under which the session was allowed. */
  allowedBy?: LedgerIndex
  allowedAt?: number
}

/** Makes the guard. It does no I/O and waits for nothing. */
export function createGuard(settings: GuardSettings): Guard {
  // A session that is asked about with the same object is read once, and compared once per change.
  const known = new WeakMap<Who, Known>()

  const know = (who: Who): Known => {
    const { subject, began } = who
    const fresh = { subject, began, session: readSession(who, settings.toleranceSeconds) }
    known.set(who, fresh)
    return fresh
  }

  const judge = (index: LedgerIndex, { session }: Known): Fold =>
    fold(index.find(session.keys), session, settings.now())

  return {
    check: (who) => {
      const index = settings.index()
      if (!index) return deny({ taken: [] }, settings)
      let asked = known.get(who)
      if (asked?.subject !== who.subject || asked.began !== who.began) asked = know(who)
      else if (asked.allowedBy === index && asked.allowedAt === index.version) return allowed
      const state = judge(index, asked)
      if (state.effect !== undefined) return deny(state, settings)
      asked.allowedBy = index
      asked.allowedAt = index.version
      return allowed
    },
    explain: (who) => {
      const index = settings.index()
      return explanationOf(index && judge(index, know(who)))
    },
  }
}

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
