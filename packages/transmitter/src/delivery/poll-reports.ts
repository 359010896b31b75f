import { outcomeOfError, type Outcome } from './verdict.ts'

/** What is done with a SET that a Receiver has reported by `setErrs`. */
export type ReportOutcome = Exclude<Outcome, 'delivered'>

/** What the reports of one poll mean. */
export interface JudgedReports {
  /** One for each report, in their order. */
  readonly outcomes: readonly ReportOutcome[]
  /** How many SETs in a row were refused then. */
  readonly inARow: number
}

/** So many SETs refused in a row are a broken Receiver, not broken SETs. */
const several = 3

/**
 * Judges the errors of one poll, as those of pushes are judged. Several SETs that are refused, with
 * none acknowledged meanwhile, put the stream at fault: nothing is buried by a broken deployment.
 *
 * @param errs The error codes
 * @param before How many SETs in a row were refused before this poll, and how many it acknowledges
 */
export function judgeReports(
  errs: readonly string[],
  before: { readonly inARow: number; readonly acknowledged: number },
): JudgedReports {
  const outcomes = errs.map(outcomeOfError)
  const refused = outcomes.filter((outcome) => outcome === 'refused').length
  const isProven = before.acknowledged > 0
  const inARow = isProven ? 0 : before.inARow + refused
  if (isProven || inARow < several) return { outcomes, inARow }
  const kept = outcomes.map((outcome) => (outcome === 'refused' ? 'stream-at-fault' : outcome))
  return { outcomes: kept, inARow }
}
