import type { Subject } from '@drawbridge/schema'
import { effects, type Effect } from '../effect.ts'
import type { Cause, LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Written } from '../ledger/ledger.ts'

/** What a hook carries out: an effect, or its end. */
export type HookName = Effect | 'restore'

/** Every name a hook can have. */
export const hookNames: readonly HookName[] = [...effects, 'restore']

/** What a hook is told. */
export interface HookCall {
  /**
   * The same for every attempt at the same task, and for no other task: what was done under a key
   * need not be done again.
   */
  readonly key: string
  /** Whom the signal named: one session, or everything that belongs to a user or a device. */
  readonly subject: Subject
  readonly effect: Effect
  readonly cause: Cause
  /** T, NumericDate in seconds. */
  readonly since: number
  /** Whether only what began at or before T is meant, or all. */
  readonly reaches: LedgerEntry['reaches']
  /** Aborts when the time for the attempt is over. */
  readonly signal: AbortSignal
}

/** A function of the application. What it throws or rejects with means: try again. */
export type Hook = (call: HookCall) => unknown

/**
 * Carries effects out in the application: close sockets, revoke refresh tokens, tell the user. Each
 * is called after the ledger is written, so access has ended already; a hook cannot delay or stop
 * that. Hooks of one cause run one after the other, in the order of the signals' arrival.
 */
export interface Hooks {
  /** Sessions were told to authenticate again. */
  readonly reauthenticate?: Hook
  /** Sessions were suspended. */
  readonly suspend?: Hook
  /** Sessions were ended. */
  readonly terminate?: Hook
  /**
   * A condition was lifted. Only what this cause took is given back: another one may still hold,
   * which `explain` tells.
   */
  readonly restore?: Hook
}

/** Tells which hook a write of the ledger calls for: a signal that changed nothing calls for none. */
export function hookFor({ changed, entry, before }: Written): HookName | undefined {
  if (!changed) return undefined
  if (!entry.lifted) return entry.effect
  return before && !before.lifted ? 'restore' : undefined
}
