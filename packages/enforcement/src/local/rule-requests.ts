import type { Clock } from '@drawbridge/core'
import type { AccessDecision, CheckOptions } from '../guard/access-decision.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { LedgerIndex } from '../ledger/ledger-index.ts'
import type { Who } from '../who.ts'
import { entryOfLift, entryOfSignal, localKey, type LocalSettings } from './local-signal.ts'
import { ruledSubject, type RequestRule } from './request-rule.ts'

/** What ruling requests needs. */
export interface RuleRequestsSettings extends LocalSettings {
  readonly requestRules: readonly RequestRule[]
  readonly clock: Clock
  index(): LedgerIndex | undefined
  /** Writes an entry, behind the request. What takes counts at once. */
  write(entry: LedgerEntry): void
}

/**
 * Asks the request rules about a request.
 *
 * @returns Whether one of them took something: then the request has to be checked again
 */
export function ruleRequest(
  who: Who,
  decision: AccessDecision,
  { requires }: CheckOptions,
  settings: RuleRequestsSettings,
): boolean {
  const { requestRules, clock } = settings
  const index = settings.index()
  if (!index) return false
  const on = ruledSubject(who)
  let hasTaken = false
  for (const { cause, takes, judge } of requestRules) {
    const standing = index.read(localKey({ on, cause }, settings))
    const takenAt = standing && !standing.lifted ? new Date(standing.since * 1000) : undefined
    // Where something else is in the way, only what this rule took itself is looked at.
    if (decision.outcome !== 'allow' && !takenAt) continue
    const verdict = judge({
      who,
      now: new Date(clock.now()),
      ...(requires && { requires }),
      ...(takenAt && { takenAt }),
    })
    if (verdict === 'give-back' && takenAt) {
      settings.write(entryOfLift({ on, cause }, settings))
    }
    if (verdict !== 'take' || takenAt) continue
    settings.write(entryOfSignal({ on, cause, ...takes }, settings))
    hasTaken = true
  }
  return hasTaken
}
