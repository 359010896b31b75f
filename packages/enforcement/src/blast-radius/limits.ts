import type { Authority, Reach } from '../authority/authority.ts'
import { milder } from '../effect.ts'
import type { FoldRules } from '../fold.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'

/** What limits are read from. */
export interface LimitSettings {
  readonly authority: Authority
  readonly rules: FoldRules
}

/** What an entry may do at most, whatever the session: by mandate, operators and budget. */
export function limitsOf(entry: LedgerEntry, { authority, rules }: LimitSettings): Reach {
  const { isObserved, hardest } = authority.limits(entry.cause.iss)
  const ruling = rules.rulingOf?.(entry)
  const takesNothing = entry.observed === true || ruling?.takes === 'nothing'
  return {
    isObserved: isObserved || takesNothing,
    hardest: milder(hardest, ruling?.hardest ?? hardest),
  }
}
