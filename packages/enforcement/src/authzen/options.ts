import { checkOptions, systemClock, type Clock, type OptionChecks } from '@drawbridge/core'
import { isObject } from '@drawbridge/schema'
import { isScopeToken, type EffectWithTerms, type ReauthenticateTerms } from '../effect.ts'
import type { Authorization } from '../hooks/ready-made/global-token-revocation.ts'
import { checkHttp, endpointRule, isEndpoint } from '../hooks/ready-made/post.ts'
import type { Who } from '../who.ts'
import type { DecisionAnswer } from './answer.ts'
import type { EvaluationRequest } from './evaluation.ts'
import type { DecisionPointMetadata } from './metadata.ts'

/** What was denied, to whom. */
export interface DeniedRequest {
  readonly who: Who
  readonly evaluation: EvaluationRequest
}

/** The options of `createDecisionPoint`. */
export interface DecisionPointOptions {
  /** The Policy Decision Point identifier: an https URL without query and fragment. */
  readonly url: string
  /**
   * What counts when the decision point decides nothing: it is down, slow, redirects, answers an
   * error or what is no Decision. `deny`: the request is answered with 503. `permit`: it goes on,
   * and the answer's `failure` says so. There is no default: somebody has to choose.
   */
  readonly onError: 'deny' | 'permit'
  /**
   * Where it is asked, written out: then nothing is read from it. Default: its metadata at
   * `/.well-known/authzen-configuration`, whose `policy_decision_point` must be identical to
   * `url`.
   */
  readonly metadata?: DecisionPointMetadata
  /**
   * Gives the token that goes into `Authorization` as Bearer; for another scheme, the header fields
   * instead. Called for each request; `rejected` says that the last one was answered with 401.
   * Default: nothing authorizes the application.
   */
  readonly authorize?: (request: {
    readonly rejected: boolean
  }) => Authorization | Promise<Authorization>
  /** How long an answer may take, with all that is needed for it, in milliseconds. Default: 2000. */
  readonly timeoutMs?: number
  /**
   * How long a permit may be given again, to the same question of the same session, from the moment
   * it was asked, in milliseconds. Any signal about the session ends it. 0: never. Default: 5000.
   */
  readonly cacheMs?: number
  /**
   * Says what a refusal takes from the session, beyond the one request: most take nothing. Asked
   * for a decision alone, never for a failure. What it throws, `check` throws. Default: nothing.
   */
  readonly rule?: (answer: DecisionAnswer, denied: DeniedRequest) => EffectWithTerms | undefined
  /**
   * Reads from the `context` of a refusal how the subject has to authenticate; undefined where it
   * asks for nothing. What is read is taken as `reauthenticate`. The specification leaves the
   * members of `context` to those who agree on them. Default: {@link readAcrValues}.
   */
  readonly stepUp?: (context: Readonly<Record<string, unknown>>) => ReauthenticateTerms | undefined
  /** The cause under which `rule` and `stepUp` take, for `giveBack`. Default: `decision-point`. */
  readonly cause?: string
  /** Makes the `X-Request-ID` of a request. Default: a random UUID. */
  readonly newRequestId?: () => string
  /** Allows `http` URLs. For tests on loopback. Default: false. */
  readonly allowInsecureHttp?: boolean
  /** Makes HTTP requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock
}

type Optional = 'metadata' | 'authorize' | 'rule'

/** The options with their defaults. */
export type DecisionPointSettings = Required<Omit<DecisionPointOptions, Optional>> &
  Pick<DecisionPointOptions, Optional>

/**
 * Reads the member `acr_values` of a refusal's `context`, as the specification's example of a
 * step-up has it: texts with spaces between. The first that can be an authentication context class
 * is asked for. `amr_values` are not read: no session says by which methods it began.
 *
 * @see OpenID Authorization API 1.0, "Decision Context"; RFC 9470, "Authentication Requirements
 *   Challenge"
 */
export function readAcrValues(
  context: Readonly<Record<string, unknown>>,
): ReauthenticateTerms | undefined {
  const values = context['acr_values']
  const acr = typeof values === 'string' ? values.split(' ').find(isScopeToken) : undefined
  return acr === undefined ? undefined : { acr }
}

const defaults = {
  timeoutMs: 2000,
  cacheMs: 5000,
  stepUp: readAcrValues,
  cause: 'decision-point',
  newRequestId: (): string => crypto.randomUUID(),
  allowInsecureHttp: false,
  fetch: (...request: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...request),
  clock: systemClock,
}

const optionNames = [...Object.keys(defaults), 'url', 'onError', 'metadata', 'authorize', 'rule']

/**
 * Checks the options and fills in the defaults.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function readDecisionPointOptions(options: DecisionPointOptions): DecisionPointSettings {
  const settings: DecisionPointSettings = { ...defaults, ...options }
  const checks = checkOptions('createDecisionPoint')
  const { check } = checks
  const { url, onError, clock, cause, timeoutMs, cacheMs } = settings
  checks.known(options ?? {}, optionNames)
  checks.url('url', url, settings.allowInsecureHttp)
  check(
    onError === 'deny' || onError === 'permit',
    '"onError" must be written: deny, or permit to let requests through while nobody decides',
  )
  checkMetadata(settings, checks)
  checkHttp(settings, checks)
  check(typeof clock?.sleep === 'function', '"clock" must have "sleep"')
  check(isMs(timeoutMs) && timeoutMs > 0, '"timeoutMs" must be more than 0')
  check(isMs(cacheMs), '"cacheMs" must be 0 or more')
  check(typeof cause === 'string' && cause !== '', '"cause" must be a word for the cause')
  for (const name of ['authorize', 'rule', 'stepUp', 'newRequestId'] as const) {
    const value: unknown = settings[name]
    check(value === undefined || typeof value === 'function', `"${name}" must be a function`)
  }
  checks.done()
  return settings
}

function checkMetadata(settings: DecisionPointSettings, { check }: OptionChecks): void {
  const metadata: unknown = settings.metadata
  if (metadata === undefined) return
  const { access_evaluation_endpoint: one, access_evaluations_endpoint: several } = isObject(
    metadata,
  )
    ? metadata
    : {}
  check(isEndpoint(one, settings), `"metadata.access_evaluation_endpoint" ${endpointRule}`)
  check(
    several === undefined || isEndpoint(several, settings),
    `"metadata.access_evaluations_endpoint" ${endpointRule}`,
  )
}

const isMs = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
