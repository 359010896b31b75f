import { createCheckAccess, type CheckAccess } from './check-access.ts'
import { createEvaluations, type Evaluate, type EvaluateAll } from './evaluate.ts'
import { readDecisionPointOptions, type DecisionPointOptions } from './options.ts'

/** A policy decision point that speaks AuthZEN. */
export interface DecisionPoint {
  /**
   * Asks for one decision. The same question asked at the same time is sent once. Resolves where
   * nothing was decided, too: with what `onError` says, and the `failure`.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` when the request is none
   * @see OpenID Authorization API 1.0, "Access Evaluation API"
   */
  readonly evaluate: Evaluate
  /**
   * Asks for several decisions, in one request where the decision point has an endpoint for it:
   * which tools an agent may see. The answers are in the order of the requests.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` when one of the requests is none
   * @see OpenID Authorization API 1.0, "Access Evaluations API"
   */
  readonly evaluateAll: EvaluateAll
  /**
   * Tells whether a request may go on: the guard is asked, then the decision point, and then the
   * guard once more, for a signal may have come meanwhile. A refusal denies this request and no
   * other, with 403; it takes something from the session only where `rule` says so, or the refusal
   * asks for a step-up.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` as the guard does, and where `rule` or `stepUp`
   *   gives what is no effect
   */
  readonly check: CheckAccess
  /**
   * Forgets every permit that is kept, and what is under way is not kept either. Signals that
   * change the ledger need no such call; one that takes nothing by the policy does, where the
   * decision point goes by it.
   */
  forget(): void
}

/**
 * Makes a client of a policy decision point.
 *
 * @example
 *   const decisionPoint = createDecisionPoint({
 *     url: 'https://pdp.example.com',
 *     onError: 'deny',
 *   })
 *   const decision = await decisionPoint.check(enforcement, who, {
 *     requires: ['files:write'],
 *     evaluation: {
 *       subject: { type: 'user', id: 'alice@example.com' },
 *       resource: { type: 'file', id: '7' },
 *       action: { name: 'write' },
 *     },
 *   })
 *   if (decision.outcome !== 'allow') return decision.response(request)
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 * @see OpenID Authorization API 1.0, "HTTPS Binding"
 */
export function createDecisionPoint(options: DecisionPointOptions): DecisionPoint {
  const settings = readDecisionPointOptions(options)
  const { evaluate, evaluateAll, forget } = createEvaluations(settings)
  return { evaluate, evaluateAll, forget, check: createCheckAccess({ ...settings, evaluate }) }
}
