import type { Subject } from '@drawbridge/schema'
import { effects, hardness, type Effect } from '../effect.ts'
import { decisionsIn, type DueHook } from '../hooks/hooks.ts'
import type { Cause, LedgerEntry } from '../ledger/ledger-entry.ts'
import { recordedAt, type Acts } from './acts.ts'
import { limitsOf, type LimitSettings } from './limits.ts'

/** Something that `undo` could not give back. */
export interface NotUndone {
  /** Whom the signal named. */
  readonly subject: Subject
  readonly cause: Cause
  /** T, NumericDate in seconds. */
  readonly since: number
}

/** What `undo` did. */
export interface UndoResult {
  /** How many signals were lifted. */
  readonly signals: number
  /** The same by the hardest effect that each had. */
  readonly lifted: Readonly<Record<Effect, number>>
  /** What has ended sessions, and was carried out by the application. */
  readonly terminated: readonly NotUndone[]
}

/** What an entry does to one session or another. */
type Decided = Pick<DueHook, 'effect' | 'terms'>

/** An entry that takes something, with what it takes, no harder than it may. */
export interface Taking {
  readonly entry: LedgerEntry
  readonly decided: readonly Decided[]
}

/** An entry that was lifted, with the hardest that was given back. */
export interface Lifted {
  readonly entry: LedgerEntry
  readonly decided: Decided
}

/**
 * Finds the entries that were recorded since a time and take something.
 *
 * @param from NumericDate, seconds
 */
export const takenSince = (
  from: number,
  entries: readonly LedgerEntry[],
  settings: LimitSettings,
): readonly Taking[] =>
  entries
    .filter((entry) => recordedAt(entry) >= from)
    .map((entry) => ({ entry, decided: decidedBy(entry, settings) }))
    .filter(({ decided }) => decided.length > 0)

function decidedBy(entry: LedgerEntry, settings: LimitSettings): readonly Decided[] {
  const { takes = 'all' } = settings.rules.rulingOf?.(entry) ?? {}
  if (entry.observed || takes === 'nothing') return []
  const { hardest } = limitsOf(entry, settings)
  return decisionsIn(entry)
    .filter(({ effect }) => takes === 'all' || effect === 'terminate')
    .map((one) => (hardness(one.effect) > hardness(hardest) ? { effect: hardest } : one))
}

/** What was lifted of an entry; undefined where that is nothing. */
export function liftedBy({ entry, decided }: Taking, acts: Acts): Lifted | undefined {
  const takes = acts.rulingOf(entry)?.takes
  const [hardest] = decided
    .filter(({ effect }) => takes === 'nothing' || effect !== 'terminate')
    .toSorted((one, other) => hardness(other.effect) - hardness(one.effect))
  return hardest && { entry, decided: hardest }
}

/** Sums up what an undoing did. */
export function resultOf(
  before: readonly Taking[],
  lifted: readonly Lifted[],
  acts: Acts,
): UndoResult {
  const counts = Object.fromEntries(effects.map((effect) => [effect, 0])) as Record<Effect, number>
  for (const { decided } of lifted) counts[decided.effect]++
  const terminated = before
    .filter(({ decided }) => decided.some(({ effect }) => effect === 'terminate'))
    .filter(({ entry }) => acts.rulingOf(entry)?.takes === 'terminate')
    .map(({ entry: { on, cause, since } }) => ({ subject: on, cause, since }))
  return { signals: lifted.length, lifted: counts, terminated }
}
