import type { Subject } from '@drawbridge/schema'
import { effects, hardness, isEffect, type Effect, type Terms } from '../effect.ts'
import type { Cause, LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Written } from '../ledger/ledger.ts'
import type { Who } from '../session.ts'

/** What a hook carries out: an effect, its end, or the change of a credential that is known. */
export type HookName = Effect | 'restore' | 'rotate'

/** Every name a hook can have. */
export const hookNames: readonly HookName[] = [...effects, 'restore', 'rotate']

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
  readonly terms: Terms
  readonly cause: Cause
  /** T, NumericDate in seconds. */
  readonly since: number
  /** Whether only what began at or before T is meant, or all. */
  readonly reaches: LedgerEntry['reaches']
  /**
   * Finds the sessions that it reaches, by the application's own `sessions`: those it takes
   * something from now, or for `restore` all that the signal named. None without that option.
   */
  sessions(): Promise<readonly Who[]>
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
  /** Sessions live on for a limited time. */
  readonly shorten?: Hook
  /** Sessions lost some of their grants. */
  readonly restrict?: Hook
  /** Sessions were told to authenticate again. */
  readonly reauthenticate?: Hook
  /** Sessions were suspended. */
  readonly suspend?: Hook
  /** Sessions were ended, at once or because their time to authenticate again ran out. */
  readonly terminate?: Hook
  /**
   * A condition was lifted. Only what this cause took is given back: another one may still hold,
   * which `explain` tells.
   */
  readonly restore?: Hook
  /** A credential is compromised: make it useless and issue another. Called once for a report. */
  readonly rotate?: Hook
}

/** A hook that is due, and the entry it is told of. */
export interface DueHook {
  readonly name: HookName
  readonly entry: LedgerEntry
}

/** Tells which hooks a write of the ledger calls for: a signal that changed nothing calls for none. */
export function dueHooks({ changed, entry, before }: Written): readonly DueHook[] {
  if (!changed) return []
  if (entry.lifted) {
    // It is told what was taken: of a lift, neither effect nor terms mean anything.
    const { effect, terms, on } = before ?? entry
    const restored: LedgerEntry = { ...entry, on, effect, ...(terms && { terms }) }
    return before && !before.lifted ? [{ name: 'restore', entry: restored }] : []
  }
  const due: DueHook[] = [{ name: entry.effect, entry }]
  return entry.cause.name.startsWith('credential-compromise')
    ? [{ name: 'rotate', entry }, ...due]
    : due
}

/** A hook as a Transmitter may cause it: no harder than its mandate says. */
export function cappedHook({ name, entry }: DueHook, hardest: Effect): DueHook {
  if (!isEffect(name) || hardness(name) <= hardness(hardest)) return { name, entry }
  const { terms: _, ...rest } = entry
  return { name: hardest, entry: { ...rest, effect: hardest } }
}
