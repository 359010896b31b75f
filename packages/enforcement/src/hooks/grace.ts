import type { Clock } from '@drawbridge/core'
import { entryKey, type LedgerEntry } from '../ledger/ledger-entry.ts'
import { decisionsIn, type DueHook } from './hooks.ts'

/** What waiting for the end of a grace period needs. */
export interface GraceSettings {
  readonly clock: Clock
  /** The entry that stands under a key now. */
  standing(key: string): LedgerEntry | undefined
  run(due: DueHook): void
}

/**
 * Waits until the time is over that an entry gives sessions to authenticate again, and has what is
 * left of them ended. Resolves at once for an entry that gives none.
 *
 * @param signal Aborts when nobody waits any more
 */
export async function awaitGrace(
  entry: LedgerEntry,
  settings: GraceSettings,
  signal: AbortSignal,
): Promise<void> {
  if (entry.lifted) return
  const asked = decisionsIn(entry).find(({ effect }) => effect === 'reauthenticate')
  const graceSeconds = asked?.terms?.graceSeconds
  if (graceSeconds === undefined) return
  const { clock } = settings
  const endsAt = (entry.since + graceSeconds) * 1000
  // A timer holds for 25 days at most.
  while (clock.now() <= endsAt && !signal.aborted)
    await clock.sleep(endsAt - clock.now() + 1, signal)
  const standing = settings.standing(entryKey(entry))
  const stillHolds = standing && !standing.lifted && standing.cause.jti === entry.cause.jti
  if (stillHolds && !signal.aborted) settings.run({ name: 'terminate', entry, effect: 'terminate' })
}
