import type { Subject } from '@drawbridge/schema'
import { effects, hardness, isEffect, type Effect, type Terms } from '../effect.ts'
import type { Cause, Instead, LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Written } from '../ledger/ledger.ts'
import { sessionKinds, type SessionKind, type Who } from '../who.ts'

/** What a hook carries out: an effect, its end, or the change of a credential that is known. */
export type HookName = Effect | 'restore' | 'rotate'

/** Every name a hook can have. */
export const hookNames: readonly HookName[] = [...effects, 'restore', 'rotate']

/** What a hook is told. */
export interface HookCall {
  /** Which hook it is. */
  readonly name: HookName
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
   * The kinds of sessions that it can reach: not all where rules tell them apart. A hook that acts
   * on a user as a whole looks whether people are meant.
   */
  readonly kinds: readonly SessionKind[]
  /**
   * Tells whether it reaches a session, by the judgement of the guard at this moment: mandates,
   * rules for some kinds of sessions and other names of the subject included. For functions that
   * look for sessions or tokens themselves.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` when `who` cannot be compared with signals
   */
  takesFrom(who: Who): boolean
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

/** A hook that is due. */
export interface DueHook {
  readonly name: HookName
  /** What it comes from. */
  readonly entry: LedgerEntry
  /** What it carries out. */
  readonly effect: Effect
  readonly terms?: Terms
  /** The kinds of sessions that it can reach. Default: all. */
  readonly kinds?: readonly SessionKind[]
}

/**
 * Tells which hooks a write of the ledger calls for, one for each effect that some of the sessions
 * get. A signal that changed nothing calls for none.
 */
export function dueHooks({ changed, entry, before }: Written): readonly DueHook[] {
  if (!changed) return []
  if (entry.lifted) {
    if (!before || before.lifted) return []
    // It is told what was taken: of a lift, neither effect nor terms mean anything.
    const { effect, terms } = before
    return [{ name: 'restore', entry, effect, ...(terms && { terms }) }]
  }
  const due = decisionsIn(entry).map((decided): DueHook => {
    return { ...decided, name: decided.effect, entry }
  })
  const isCompromise = entry.cause.name.startsWith('credential-compromise')
  return isCompromise ? [{ name: 'rotate', entry, effect: entry.effect }, ...due] : due
}

/** What an entry does to one session or another, each effect once. */
export function decisionsIn(
  entry: LedgerEntry,
): readonly Pick<DueHook, 'effect' | 'terms' | 'kinds'>[] {
  const { effect, terms, instead = [] } = entry
  const hasRest = !instead.some(isForAll)
  const decided = hasRest ? [...instead, { effect, ...(terms && { terms }) }] : instead
  const byEffect = new Map<Effect, Pick<DueHook, 'effect' | 'terms' | 'kinds'>>()
  for (const { effect: one, terms: its } of decided) {
    if (one === null || byEffect.has(one)) continue
    const kinds = sessionKinds.filter((kind) => canReach(decided, one, kind))
    const isForSome = kinds.length < sessionKinds.length
    byEffect.set(one, { effect: one, ...(its && { terms: its }), ...(isForSome && { kinds }) })
  }
  return [...byEffect.values()]
}

const isForAll = ({ kind, tenant }: Instead): boolean => kind === undefined && tenant === undefined

/** Whether sessions of a kind can get an effect: the first that fits counts. */
function canReach(decided: readonly Instead[], effect: Effect, kind: SessionKind): boolean {
  const fitting = decided.filter((one) => one.kind === undefined || one.kind === kind)
  const last = fitting.findIndex(({ tenant }) => tenant === undefined)
  const counting = last < 0 ? fitting : fitting.slice(0, last + 1)
  return counting.some((one) => one.effect === effect)
}

/** A hook as a Transmitter may cause it: no harder than its mandate says. */
export function cappedHook(due: DueHook, hardest: Effect): DueHook {
  if (!isEffect(due.name) || hardness(due.name) <= hardness(hardest)) return due
  const { entry, kinds } = due
  return { name: hardest, entry, effect: hardest, ...(kinds && { kinds }) }
}
