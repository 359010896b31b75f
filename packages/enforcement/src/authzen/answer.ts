import { isObject, PeerError } from '@drawbridge/schema'

/** What a decision point decided. */
export interface Decision {
  readonly decision: boolean
  /**
   * What the decision point says besides: reasons, or how the subject would have to authenticate.
   * Its words: for logs and for rules, never for a page.
   */
  readonly context?: Readonly<Record<string, unknown>>
}

/** The answer to one evaluation. */
export interface DecisionAnswer extends Decision {
  /** The `X-Request-ID` of the request that brought it. */
  readonly requestId: string
  /**
   * Why the decision point decided nothing: then `decision` is what `onError` says. Absent where it
   * decided.
   */
  readonly failure?: PeerError
}

/**
 * Reads a Decision. Only a boolean is one; a `context` that is no object says nothing.
 *
 * @returns Undefined where it is none
 * @see OpenID Authorization API 1.0, "Decision"
 */
export function readDecision(value: unknown): Decision | undefined {
  if (!isObject(value) || typeof value['decision'] !== 'boolean') return undefined
  const { decision, context } = value
  return isObject(context) ? { decision, context } : { decision }
}

/**
 * Reads the answer to several evaluations, in their order; undefined stands for one without a
 * Decision.
 *
 * @throws PeerError `ERR_PEER_ANSWER` where it does not answer each of them: nobody could say which
 *   is whose
 * @see OpenID Authorization API 1.0, "The Access Evaluations API Response"
 */
export function readDecisions(value: unknown, count: number): readonly (Decision | undefined)[] {
  const evaluations = isObject(value) ? value['evaluations'] : undefined
  if (!Array.isArray(evaluations) || evaluations.length !== count) {
    throw new PeerError(
      'ERR_PEER_ANSWER',
      `the decision point did not answer with "evaluations" for each of ${count}`,
    )
  }
  return (evaluations as unknown[]).map(readDecision)
}

/** The error for an answer that decides nothing. */
export const noDecision = (): PeerError =>
  new PeerError('ERR_PEER_ANSWER', 'the decision point answered without a boolean "decision"')
