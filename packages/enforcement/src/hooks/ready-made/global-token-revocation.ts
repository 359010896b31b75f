import { checkOptions } from '@drawbridge/core'
import { isComplex, type SubjectIdentifier } from '@drawbridge/schema'
import type { Hook, HookCall } from '../hooks.ts'
import { checkHttp, endpointRule, httpOptionNames, isEndpoint, post, refusal } from './post.ts'
import type { HttpOptions } from './post.ts'

/** The options of {@link globalTokenRevocation}. */
export interface GlobalTokenRevocationOptions extends HttpOptions {
  /** The `global_token_revocation_endpoint` of the authorization server. */
  readonly endpoint: string
  /**
   * Gives the token that goes into `Authorization` as Bearer: an access token, or a signed JWT of
   * at most five minutes. For another scheme it gives the header fields instead. Called for each
   * request; `rejected` says that the last one was answered with 401, so that a token in a cache is
   * not given again.
   */
  readonly authorize: (request: {
    readonly rejected: boolean
  }) => Authorization | Promise<Authorization>
  /**
   * Says by which name the authorization server knows the user, or `undefined` to ask for nothing.
   * Default: the subject, or its `user` where it is a complex one.
   */
  readonly userOf?: (
    call: HookCall,
  ) => SubjectIdentifier | undefined | Promise<SubjectIdentifier | undefined>
}

/** A token for Bearer, or header fields. */
export type Authorization = string | Readonly<Record<string, string>>

const optionNames = ['endpoint', 'authorize', 'userOf', ...httpOptionNames]

const peer = 'the authorization server'

const advice = {
  400: 'it does not take this format of subject',
  401: 'the authorization is not accepted',
  403: 'the authorization is not enough',
  422: 'it cannot log this user out',
}

/**
 * Makes a hook that has an authorization server revoke all tokens of a user, and ask the user to
 * authenticate again. That is more than most signals say: it takes other devices and later logins
 * as well. A user whom the server does not know counts as done. A signal that names no user (a
 * device, a tenant, a token, an address), or whose effect is not for the sessions of people, asks
 * for nothing, and the hook succeeds.
 *
 * @example
 *   const terminate = globalTokenRevocation({
 *     endpoint: 'https://as.example/global-token-revocation',
 *     authorize: () => accessToken(),
 *   })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 * @see draft-parecki-oauth-global-token-revocation-05, "Revocation Request", "Revocation Response"
 */
export function globalTokenRevocation(options: GlobalTokenRevocationOptions): Hook {
  checkGlobalTokenRevocation(options ?? {})
  const { userOf = userOfSubject, ...settings } = options
  let rejected = false
  return async (call) => {
    if (!call.kinds.includes('human')) return
    const sub_id = await userOf(call)
    if (sub_id === undefined) return
    const authorization = await settings.authorize({ rejected })
    const request = {
      url: settings.endpoint,
      headers: { ...headersOf(authorization), 'content-type': 'application/json' },
      body: JSON.stringify({ sub_id }),
      signal: call.signal,
      peer,
    }
    await post(request, settings, (response) => {
      rejected = response.status === 401
      if (response.status === 204 || response.status === 404) return
      throw refusal(response, { ...settings, peer, advice })
    })
  }
}

function checkGlobalTokenRevocation(options: Partial<GlobalTokenRevocationOptions>): void {
  const checks = checkOptions('globalTokenRevocation')
  const { endpoint, authorize, userOf } = options
  checks.known(options, optionNames)
  checks.check(isEndpoint(endpoint, options), `"endpoint" ${endpointRule}`)
  checks.check(
    typeof authorize === 'function',
    '"authorize" must be a function that gives a token for "Authorization: Bearer"',
  )
  checks.check(
    userOf === undefined || typeof userOf === 'function',
    '"userOf" must be a function that gives a subject identifier',
  )
  checkHttp(options, checks)
  checks.done()
}

const headersOf = (given: Authorization): Readonly<Record<string, string>> =>
  typeof given === 'string' ? { authorization: `Bearer ${given}` } : given

/** They never name a user. */
const otherThings: readonly string[] = ['ip-addresses', 'jwt_id', 'saml_assertion_id']

function userOfSubject({ subject }: HookCall): SubjectIdentifier | undefined {
  if (isComplex(subject)) return subject.user
  return otherThings.includes(subject.format) ? undefined : subject
}
