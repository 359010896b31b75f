import { isFinal, type Subject } from '@drawbridge/schema'
import type { Effect, Terms } from '../effect.ts'
import type { Fold, GrantLimits, Held } from '../fold.ts'
import type { Cause } from '../ledger/ledger-entry.ts'

/**
 * What would give back what a signal took.
 *
 * - `authentication`: the user authenticates again, in the same session;
 * - `new-session`: a session that begins after T;
 * - `counter-signal`: the same Transmitter says of the same subject that the cause has gone;
 * - `nothing`: the account is gone for good.
 */
export type Restoration = 'authentication' | 'new-session' | 'counter-signal' | 'nothing'

/** One thing that was taken from a session. */
export interface Taken {
  readonly effect: Effect
  readonly terms: Terms
  /** The signal: `jti`, `txn`, type and Transmitter. */
  readonly cause: Cause
  /** Whom the signal named. */
  readonly on: Subject
  /**
   * The delegator whom the signal reached, where the session has inherited what it took: then it is
   * the delegator whose authentication gives it back. Absent where it reached the session itself.
   */
  readonly delegator?: Subject
  /** T, NumericDate in seconds. */
  readonly since: number
  readonly restoredBy: Restoration
  /**
   * It came above its Transmitter's budget, so it suspends and ends nothing until an operator calls
   * `confirm` or `release`; the latter gives it back as well.
   */
  readonly awaitsOperator?: true
}

/** Why a session is in its state. */
export interface Explanation {
  /** False while the ledger has not been read: then every session is refused. */
  readonly synchronised: boolean
  /** The hardest effect in force; absent when nothing was taken. */
  readonly effect?: Effect
  readonly taken: readonly Taken[]
  /** What would be taken, if the Transmitters behind it were not only observed. */
  readonly observed: readonly Taken[]
  /** What grants are left, where some were taken. */
  readonly grants?: GrantLimits
  /** When a signal ends the session, or asks for an authentication, by time alone. */
  readonly expiresAt?: Date
}

/** Explains the state of a session; undefined is one that cannot be known yet. */
export function explanationOf(state: Fold | undefined): Explanation {
  if (!state) return { synchronised: false, taken: [], observed: [] }
  const { effect, grants, endsAt } = state
  return {
    synchronised: true,
    taken: state.taken.map(takenBy),
    observed: state.observed.map(takenBy),
    ...(effect && { effect }),
    ...(grants && { grants }),
    ...(endsAt !== undefined && { expiresAt: new Date(endsAt * 1000) }),
  }
}

/** Tells what would give back what an entry took. */
export function restorationOf({ effect, entry, ended }: Held): Restoration {
  if (ended) return 'new-session'
  if (effect === 'reauthenticate') return 'authentication'
  if (entry.reaches !== 'all') return 'new-session'
  return isFinal(entry.cause.name) ? 'nothing' : 'counter-signal'
}

function takenBy(held: Held): Taken {
  const { effect, terms, entry, delegator, awaitsOperator } = held
  const { cause, on, since } = entry
  return {
    effect,
    terms,
    cause,
    on,
    since,
    restoredBy: restorationOf(held),
    ...(delegator && { delegator }),
    ...(awaitsOperator && { awaitsOperator }),
  }
}
