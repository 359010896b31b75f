import type { Watchable } from '@drawbridge/core'
import type { SecurityEvent } from '@drawbridge/schema'
import type { Effect } from './effect.ts'
import type { AccessDecision } from './guard/access-decision.ts'
import type { Explanation } from './guard/explanation.ts'
import type { HookName } from './hooks/hooks.ts'
import type { Cause } from './ledger/ledger-entry.ts'
import type { Who } from './session.ts'

/** How long a change of risk took to reach the guard, in milliseconds. */
export interface DwellTime {
  /** From T, when it happened. Includes the clocks' difference and the rounding of T to seconds. */
  readonly sinceEventMs: number
  /** From `iat`, when the SET was issued. Rounded like T. */
  readonly sinceIssuedMs: number
  /** From the call of `apply`, by this machine's clock alone. */
  readonly sinceReceivedMs: number
}

/** What can be watched. Texts of a cause are the peer's. */
export interface EnforcementEvents {
  /** A signal is in the ledger and the guard answers by it. */
  readonly 'signal:applied': {
    readonly at: number
    readonly cause: Cause
    readonly effect: Effect
    /** True when the signal gave back instead of taking. */
    readonly lifted: boolean
    /** False for a signal that is repeated, late or replayed. */
    readonly changed: boolean
    readonly dwell: DwellTime
  }
  /** A signal takes nothing: its type means nothing for access, or has no rule. */
  readonly 'signal:ignored': {
    readonly at: number
    readonly type: string
    readonly iss: string
    readonly jti: string
  }
  /** A request was denied. */
  readonly 'request:denied': {
    readonly at: number
    readonly outcome: 'challenge' | 'refuse'
    /** Absent while the ledger has not been read. */
    readonly effect?: Effect
    readonly causes: readonly Cause[]
  }
  /** A hook finished. */
  readonly 'hook:succeeded': {
    readonly at: number
    readonly name: HookName
    readonly key: string
    readonly attempt: number
  }
  /** An attempt at a hook failed or took too long. */
  readonly 'hook:failed': {
    readonly at: number
    readonly name: HookName
    readonly key: string
    readonly attempt: number
    /** True when no other attempt follows. */
    readonly givenUp: boolean
    readonly error: unknown
  }
}

/** Session-time enforcement: makes signals true for sessions that are alive. */
export interface Enforcement {
  /**
   * Opens the ledger and reads it. Idempotent; after a failure it can be called again. Until it has
   * resolved, every check refuses.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` or `ERR_STORAGE_VERSION`
   */
  start(): Promise<void>
  /** Lets what was begun finish, the hooks too, and closes the ledger. Idempotent. */
  stop(): Promise<void>
  /**
   * Judges a signal by the policy. Resolves when what it decided is durable and the guard answers
   * by it: the SET may be acknowledged. A signal that takes nothing resolves at once. Bound, so
   * that it can be passed: `receiver.handle('*', enforcement.apply)`.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: do not acknowledge, let it be delivered again
   */
  readonly apply: (event: SecurityEvent) => Promise<void>
  /**
   * Tells whether a request may go on: in memory, without I/O. Ask at every request and not at
   * login alone; a login that was in flight when the signal came is covered by that.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` when `who` cannot be compared with signals
   */
  check(who: Who): AccessDecision
  /**
   * Tells which signals took what from a session, and what would give it back.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE`, as {@link Enforcement.check}
   */
  explain(who: Who): Explanation
  /** What happens, to watch. */
  readonly events: Watchable<EnforcementEvents>
}
