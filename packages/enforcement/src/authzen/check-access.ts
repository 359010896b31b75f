import type { EffectWithTerms } from '../effect.ts'
import type { Enforcement } from '../enforcement.ts'
import type { AccessDecision, AccessDenied, CheckOptions } from '../guard/access-decision.ts'
import { denialResponse } from '../guard/denial-response.ts'
import { ruledSubject } from '../local/request-rule.ts'
import type { Who } from '../who.ts'
import type { DecisionAnswer } from './answer.ts'
import type { Evaluate } from './evaluate.ts'
import type { EvaluationRequest } from './evaluation.ts'
import type { DecisionPointSettings } from './options.ts'

/** What of the enforcement a decision point asks and tells. */
export type DecidingEnforcement = Pick<Enforcement, 'check' | 'entriesFor' | 'take'>

/** What is asked about a request, besides who makes it. */
export interface DecisionCheckOptions extends CheckOptions {
  /** What the decision point is asked. */
  readonly evaluation: EvaluationRequest
  /** Ends the wait: then the check rejects, and the request must not be carried out. */
  readonly signal?: AbortSignal
}

/** The guard's answer, and what the decision point said where it was asked. */
export type DecidedAccess = AccessDecision & { readonly answer?: DecisionAnswer }

/** Tells whether a request may go on. */
export type CheckAccess = (
  enforcement: DecidingEnforcement,
  who: Who,
  options: DecisionCheckOptions,
) => Promise<DecidedAccess>

/** What a check needs. */
export interface CheckAccessSettings extends DecisionPointSettings {
  readonly evaluate: Evaluate
}

/** Makes the check: the guard, the decision point, and the guard again. */
export function createCheckAccess(settings: CheckAccessSettings): CheckAccess {
  return async (enforcement, who, { evaluation, signal, ...checking }) => {
    const before = enforcement.check(who, checking)
    if (before.outcome !== 'allow') return before
    const standing = enforcement.entriesFor(who)
    const answer = await settings.evaluate(evaluation, { standing, ...(signal && { signal }) })
    // Signals that came meanwhile count, and a session is not challenged twice for one reason.
    const now = enforcement.check(who, checking)
    if (now.outcome !== 'allow' || answer.decision) return { ...now, answer }
    if (answer.failure) return { ...denied('undecided'), answer }
    const takes = effectOf(answer, { who, evaluation }, settings)
    if (!takes) return { ...denied('denied'), answer }
    await take(enforcement, who, { ...takes, cause: settings.cause, by: settings.url })
    const taken = enforcement.check(who, checking)
    return taken.outcome === 'allow' ? { ...denied('denied'), answer } : { ...taken, answer }
  }
}

function effectOf(
  answer: DecisionAnswer,
  request: { readonly who: Who; readonly evaluation: EvaluationRequest },
  { rule, stepUp }: Pick<DecisionPointSettings, 'rule' | 'stepUp'>,
): EffectWithTerms | undefined {
  const ruled = rule?.(answer, request)
  if (ruled) return ruled
  const terms = answer.context && stepUp(answer.context)
  return terms && { effect: 'reauthenticate', terms }
}

type Takes = EffectWithTerms & { readonly cause: string; readonly by: string }

/** What the ledger cannot write counts on this node all the same, and is written later. */
async function take(enforcement: DecidingEnforcement, who: Who, takes: Takes): Promise<void> {
  try {
    await enforcement.take({ on: ruledSubject(who), ...takes })
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_STORAGE_UNAVAILABLE') throw error
  }
}

/** Denies one request: no signal is behind it, and a login does not help. */
const denied = (reason: 'denied' | 'undecided'): AccessDenied => ({
  outcome: 'refuse',
  causes: [],
  response: (request) => denialResponse({ reason, loginHelps: false }, request, {}),
})
