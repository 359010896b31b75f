import { checkOptions, readBody } from '@drawbridge/core'
import type { Hook, HookCall } from '../hooks.ts'
import type { Authenticate } from './client-authentication.ts'
import { forEach } from './for-each.ts'
import { checkHttp, endpointRule, httpOptionNames, isEndpoint, post, refusal } from './post.ts'
import type { HttpOptions } from './post.ts'

/** A token to be revoked. */
export interface RevocableToken {
  readonly token: string
  /** What kind of token it is; the server may find it faster. */
  readonly token_type_hint?: 'access_token' | 'refresh_token' | (string & {})
}

/** The options of {@link revokeTokens}. */
export interface RevokeTokensOptions extends HttpOptions {
  /** The `revocation_endpoint` of the authorization server. */
  readonly endpoint: string
  /**
   * Authenticates the client that the tokens were issued to: `clientSecretBasic(id, secret)`,
   * `clientSecretPost(id, secret)`, or a function of your own.
   */
  readonly authenticate: Authenticate
  /**
   * Gives the tokens that the signal reaches, in the best case refresh tokens alone: their access
   * tokens go with them. `call.takesFrom` says whether a grant is reached. Called in every
   * attempt.
   */
  readonly tokensOf: (
    call: HookCall,
  ) => Iterable<RevocableToken> | Promise<Iterable<RevocableToken>>
  /**
   * Told of a token that the server does not revoke because of its type. Such a token counts as
   * done: it lives until it expires, and to ask again would change nothing. Default: nothing.
   */
  readonly onUnsupportedTokenType?: (token: RevocableToken) => void
}

const optionNames = [
  'endpoint',
  'authenticate',
  'tokensOf',
  'onUnsupportedTokenType',
  ...httpOptionNames,
]

const peer = 'the authorization server'

const advice = {
  400: 'it does not take the request',
  401: 'the authentication of the client is not accepted',
  403: 'this client may not revoke the token',
}

/**
 * Makes a hook that revokes tokens at the authorization server. A token that is invalid already
 * counts as revoked, so that an attempt can be repeated. A few are revoked at once, and one that
 * fails does not stop the others.
 *
 * @example
 *   const terminate = revokeTokens({
 *     endpoint: 'https://as.example/revoke',
 *     authenticate: clientSecretBasic('app', secret),
 *     tokensOf: async (call) =>
 *       (await grants.of(call.subject))
 *         .filter((grant) => call.takesFrom(grant.who))
 *         .map((grant) => ({
 *           token: grant.refreshToken,
 *           token_type_hint: 'refresh_token',
 *         })),
 *   })
 *
 * @example
 *   // Tokens that a gateway got elsewhere for an agent: registered with the agent as `delegator`,
 *   // they die with it, and with everybody on whose behalf it acts.
 *   interface Upstream extends RegisteredSession {
 *     readonly upstream: RevocableToken
 *   }
 *   const isUpstream = (who: Who): who is Upstream => 'upstream' in who
 *   const revoke = revokeTokens({
 *     endpoint: 'https://api.example/revoke',
 *     authenticate: clientSecretBasic('gateway', secret),
 *     tokensOf: async (call) =>
 *       (await call.sessions()).filter(isUpstream).map(({ upstream }) => upstream),
 *   })
 *   // A disabled user is suspended, and a token elsewhere cannot be: it is revoked as well.
 *   const hooks = { terminate: revoke, suspend: revoke }
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 * @see RFC 7009, "Token Revocation"
 */
export function revokeTokens(options: RevokeTokensOptions): Hook {
  checkRevokeTokens(options ?? {})
  const settings = { ...options }
  return async (call) => {
    const context = { signal: call.signal, failed: 'tokens were not revoked' }
    const tokens = await settings.tokensOf(call)
    await forEach(tokens, context, (token) => revoke(token, call.signal, settings))
  }
}

function checkRevokeTokens(options: Partial<RevokeTokensOptions>): void {
  const checks = checkOptions('revokeTokens')
  const { endpoint, authenticate, tokensOf, onUnsupportedTokenType } = options
  checks.known(options, optionNames)
  checks.check(isEndpoint(endpoint, options), `"endpoint" ${endpointRule}`)
  checks.check(
    typeof authenticate === 'function',
    '"authenticate" must be a function, such as clientSecretBasic(id, secret)',
  )
  checks.check(typeof tokensOf === 'function', '"tokensOf" must be a function')
  checks.check(
    onUnsupportedTokenType === undefined || typeof onUnsupportedTokenType === 'function',
    '"onUnsupportedTokenType" must be a function',
  )
  checkHttp(options, checks)
  checks.done()
}

async function revoke(
  token: RevocableToken,
  signal: AbortSignal,
  settings: RevokeTokensOptions,
): Promise<void> {
  checkToken(token)
  const { headers, parameters } = await settings.authenticate()
  const body = formOf(token, parameters)
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
  const request = { url: settings.endpoint, headers: form, body, signal, peer }
  await post(request, settings, async (response) => {
    if (response.status === 200) return
    if (!(await isUnsupported(response))) throw refusal(response, { ...settings, peer, advice })
    settings.onUnsupportedTokenType?.(token)
  })
}

function checkToken(value: RevocableToken): void {
  const { check, done } = checkOptions('tokensOf')
  const isText = typeof value?.token === 'string' && value.token !== ''
  check(isText, '"token" must be a non-empty string')
  done()
}

function formOf({ token, token_type_hint }: RevocableToken, parameters = {}): string {
  const hint = token_type_hint === undefined ? {} : { token_type_hint }
  return new URLSearchParams({ ...parameters, token, ...hint }).toString()
}

const largestError = 4096

/** Looks into the only answer whose text decides something. */
async function isUnsupported(response: Response): Promise<boolean> {
  if (response.status !== 400) return false
  try {
    const { text = '' } = (await readBody(response, largestError)) as { readonly text?: string }
    const answer = JSON.parse(text) as { readonly error?: unknown } | null
    return answer?.error === 'unsupported_token_type'
  } catch {
    return false
  }
}
