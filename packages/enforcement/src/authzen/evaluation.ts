import { checkOptions } from '@drawbridge/core'
import { canonicalJson, isObject } from '@drawbridge/schema'

/** A Subject or a Resource: what is who, or what, in the decision point's own names. */
export interface EvaluationEntity {
  readonly type: string
  readonly id: string
  readonly properties?: Readonly<Record<string, unknown>>
}

/** An Action. */
export interface EvaluationAction {
  readonly name: string
  readonly properties?: Readonly<Record<string, unknown>>
}

/**
 * What a decision point is asked: may this subject do this to that resource?
 *
 * @see OpenID Authorization API 1.0, "The Access Evaluation API Request"
 */
export interface EvaluationRequest {
  readonly subject: EvaluationEntity
  readonly resource: EvaluationEntity
  readonly action: EvaluationAction
  /** What else matters: the address of the client, the `acr` of the session. */
  readonly context?: Readonly<Record<string, unknown>>
}

/**
 * Writes a request as it is sent: equal requests, equal texts. The members are in order and values
 * are what JSON makes of them, so that two dates are two texts.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake: what the decision point would
 *   answer with an error must not become what `onError` says
 */
export function evaluationText(request: EvaluationRequest): string {
  const { check, known, done } = checkOptions('evaluate')
  known(request ?? {}, ['subject', 'resource', 'action', 'context'])
  for (const name of ['subject', 'resource'] as const) {
    const { type, id, properties } = (request?.[name] ?? {}) as Partial<EvaluationEntity>
    check(
      isText(type) && isText(id),
      `"${name}" must have "type" and "id", texts that are not empty`,
    )
    check(isOptionalObject(properties), `"${name}.properties" must be an object`)
  }
  const { name, properties } = (request?.action ?? {}) as Partial<EvaluationAction>
  check(isText(name), '"action" must have "name", a text that is not empty')
  check(isOptionalObject(properties), '"action.properties" must be an object')
  check(isOptionalObject(request?.context), '"context" must be an object')
  done()
  return canonicalJson(JSON.parse(JSON.stringify(request)))
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isOptionalObject = (value: unknown): boolean => value === undefined || isObject(value)
