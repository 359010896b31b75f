import type { IssuerStore } from '../store/transmitter-store.ts'
import type { UpkeepTask } from './upkeep.ts'

const longestLookMs = 60_000
const shortestLookMs = 1000

/**
 * Carries out the removals of subjects whose grace period is over: late by a tenth of the period,
 * and by a minute at most.
 *
 * @see OpenID SSF 1.0, "Malicious Subject Removal"
 */
export function subjectChangesTask(
  store: Pick<IssuerStore, 'applySubjectChanges'>,
  graceSeconds: number,
): UpkeepTask {
  // Without a grace period too: one that was set once may have left something.
  const lookMs = Math.max(shortestLookMs, Math.min(graceSeconds * 100, longestLookMs))
  return {
    name: 'subject changes',
    run: async (now) => {
      await store.applySubjectChanges(now)
      return now + (graceSeconds === 0 ? longestLookMs : lookMs)
    },
  }
}
