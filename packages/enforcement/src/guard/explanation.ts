import type { Subject } from '@drawbridge/schema'
import type { Effect } from '../effect.ts'
import type { Fold } from '../fold.ts'
import type { Cause, LedgerEntry } from '../ledger/ledger-entry.ts'

/**
 * What would give back what a signal took.
 *
 * - `authentication`: the user authenticates again, in the same session;
 * - `new-session`: a session that begins after T;
 * - `counter-signal`: the same Transmitter says of the same subject that the cause has gone.
 */
export type Restoration = 'authentication' | 'new-session' | 'counter-signal'

/** One thing that was taken from a session. */
export interface Taken {
  readonly effect: Effect
  /** The signal: `jti`, `txn`, type and Transmitter. */
  readonly cause: Cause
  /** Whom the signal named. */
  readonly on: Subject
  /** T, NumericDate in seconds. */
  readonly since: number
  readonly restoredBy: Restoration
}

/** Why a session is in its state. */
export interface Explanation {
  /** False while the ledger has not been read: then every session is refused. */
  readonly synchronised: boolean
  /** The hardest effect in force; absent when nothing was taken. */
  readonly effect?: Effect
  readonly taken: readonly Taken[]
}

/** Explains the state of a session; undefined is one that cannot be known yet. */
export function explanationOf(state: Fold | undefined): Explanation {
  if (!state) return { synchronised: false, taken: [] }
  const taken = state.taken.map(takenBy)
  return { synchronised: true, ...(state.effect && { effect: state.effect }), taken }
}

function takenBy({ effect, cause, on, since, reaches }: LedgerEntry): Taken {
  const restoredBy =
    effect === 'reauthenticate'
      ? 'authentication'
      : reaches === 'all'
        ? 'counter-signal'
        : 'new-session'
  return { effect, cause, on, since, restoredBy }
}
