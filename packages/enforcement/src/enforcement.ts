import type { Watchable } from '@drawbridge/core'
import type { SecurityEvent } from '@drawbridge/schema'
import type { Operator } from './blast-radius/operator.ts'
import type { EnforcementEvents } from './enforcement-events.ts'
import type { AccessDecision, CheckOptions } from './guard/access-decision.ts'
import type { Explanation } from './guard/explanation.ts'
import type { LedgerEntry } from './ledger/ledger-entry.ts'
import type { LocalLift, LocalSignal } from './local/local-signal.ts'
import type { Who } from './who.ts'
import type { WatchOptions } from './watch/watches.ts'

/** What a signal would do to a session. */
export interface DryRun {
  readonly who: Who
  /** As it is. */
  readonly before: Explanation
  /** As it would be. */
  readonly after: Explanation
}

/** Session-time enforcement: makes signals true for sessions that are alive. */
export interface Enforcement extends Operator {
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
   * Judges a signal by mandates and policy. Resolves when what it decided is durable and the guard
   * answers by it: the SET may be acknowledged. A signal that takes nothing resolves at once.
   * Bound, so that it can be passed: `receiver.handle('*', enforcement.apply)`.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: do not acknowledge, let it be delivered again.
   *   What it takes counts on this node all the same
   */
  readonly apply: (event: SecurityEvent) => Promise<void>
  /**
   * Takes something for a cause of the application's own. Resolves when that is durable; on this
   * node it counts at once.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: it counts on this node, and is written as soon
   *   as the ledger can be
   */
  take(signal: LocalSignal): Promise<void>
  /**
   * Gives back what {@link Enforcement.take}, or a request rule, took for the same cause from the
   * same subject. What a Transmitter took stays.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: it is given back as soon as the ledger can be
   *   written
   */
  giveBack(lift: LocalLift): Promise<void>
  /**
   * Says that something was heard of a Transmitter, for `silence`: a verification event. Signals
   * that are applied, here or on another node, count by themselves.
   *
   * @example
   *   receiver.events.on('stream:verified', () => enforcement.heard(idp))
   */
  readonly heard: (iss: string) => void
  /**
   * Tells whether a request may go on: in memory, without I/O. Ask at every request and not at
   * login alone; a login that was in flight when the signal came is covered by that.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` when `who` cannot be compared with signals, or
   *   `requires` names what can be no grant
   */
  check(who: Who, options?: CheckOptions): AccessDecision
  /**
   * Gives an `AbortSignal` for what goes on without asking again: jobs, tool calls, WebSockets,
   * event streams. It aborts as soon as `check` would not allow, with an `AccessEndedError`.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE`, as {@link Enforcement.check}
   */
  signal(who: Who, options?: WatchOptions): AbortSignal
  /**
   * Tells which signals took what from a session, and what would give it back.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE`, as {@link Enforcement.check}
   */
  explain(who: Who): Explanation
  /**
   * Gives the entries of the ledger that are filed under what a session is called, in force or not:
   * the same ones until a signal about it changes them. None while the ledger has not been read. To
   * see whether something was said since, for those who keep what they know of a session.
   */
  entriesFor(who: Who): readonly LedgerEntry[]
  /**
   * Tells what a signal would do to sessions, and does nothing.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when the ledger has not been read
   */
  dryRun(event: SecurityEvent, sessions: readonly Who[]): Promise<readonly DryRun[]>
  /** What happens, to watch. */
  readonly events: Watchable<EnforcementEvents>
}
