import { StorageError } from '@drawbridge/schema'
import type { DryRun } from './enforcement.ts'
import { fold, type FoldRules } from './fold.ts'
import { explanationOf } from './guard/explanation.ts'
import type { LedgerEntry } from './ledger/ledger-entry.ts'
import { createLedgerIndex, type LedgerIndex, type Widen } from './ledger/ledger-index.ts'
import type { Session } from './session.ts'
import type { Who } from './who.ts'

/** What a dry run looks at. */
export interface DryRunSettings {
  readonly index: LedgerIndex | undefined
  readonly widen: Widen
  readonly rules: FoldRules
  read(who: Who): Session
  /** NumericDate, seconds. */
  now(): number
}

/**
 * Tells what entries would do to sessions. Pure.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when the ledger has not been read
 */
export function dryRunOf(
  entries: readonly LedgerEntry[],
  sessions: readonly Who[],
  settings: DryRunSettings,
): readonly DryRun[] {
  const { index, widen, rules, read, now } = settings
  if (!index) {
    throw new StorageError(
      'ERR_STORAGE_UNAVAILABLE',
      'the ledger has not been read: call "start()"',
    )
  }
  return sessions.map((who) => {
    const session = read(who)
    const found = index.find(who)
    const copy = createLedgerIndex(widen, [...found, ...entries])
    const state = (all: readonly LedgerEntry[]) => explanationOf(fold(all, session, now(), rules))
    return { who, before: state(found), after: state(copy.find(who)) }
  })
}
