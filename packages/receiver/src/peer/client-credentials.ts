import { checkOptions, Secret, type Clock } from '@drawbridge/core'
import { clientCredentialsGrantRequest, processClientCredentialsResponse } from 'oauth4webapi'
import {
  findAuthorizationServer,
  refused,
  requestOptions,
  type AuthorizationServerOptions,
} from './authorization-server.ts'
import type { Authorize, AuthorizeRequest } from './authorize.ts'
import {
  clientAuthentication,
  clientOf,
  isAssertionKey,
  methodOf,
  type ClientAuthenticationOptions,
} from './client-authentication.ts'
import { tokenCache, type ObtainedToken } from './token-cache.ts'

/** What {@link clientCredentials} is given. */
export interface ClientCredentialsOptions
  extends ClientAuthenticationOptions, AuthorizationServerOptions {
  /** The `audience` to ask a token for, where the authorization server wants one. Default: none. */
  readonly audience?: string
  /** Makes the requests to the authorization server. Default: the `fetch` of the Receiver. */
  readonly fetch?: typeof globalThis.fetch
  /** Default: the clock of the Receiver. */
  readonly clock?: Clock
}

/**
 * Authorizes with access tokens by the client credentials grant. A token is kept until shortly
 * before it expires or is refused, and asked for once however many wait for it; each Transmitter
 * gets one of its own.
 *
 * @example
 *   clientCredentials({ clientId: 'app', clientSecret: process.env.SECRET })
 *
 * @throws OptionsError that names every mistake in the options
 * @see RFC 6749, "Client Credentials Grant"; RFC 7523, "Client Authentication"
 */
export function clientCredentials(options: ClientCredentialsOptions): Authorize {
  check(options)
  const authentication = clientAuthentication(options)
  const caches = new Map<string, Authorize>()
  return (request) => {
    // A token for one Transmitter is none of the others' business.
    const cache = caches.get(request.issuer) ?? tokenCache(obtain)
    caches.set(request.issuer, cache)
    const { fetch = request.fetch, clock = request.clock } = options
    return cache({ ...request, fetch, clock })
  }

  async function obtain(request: AuthorizeRequest): Promise<ObtainedToken> {
    const { server, scopes } = await findAuthorizationServer(options, request)
    const { clientId, audience, resource } = options
    const client = clientOf(clientId, request.clock)
    const parameters = {
      ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
      ...(audience === undefined ? {} : { audience }),
      ...(resource === undefined ? {} : { resource }),
    }
    const http = requestOptions(request, 'the authorization server')
    const authenticate = await authentication()
    const response = await grant(() =>
      clientCredentialsGrantRequest(server, client, authenticate, parameters, http),
    )
    const token = await grant(() => processClientCredentialsResponse(server, client, response))
    if (token.token_type !== 'bearer') {
      throw refused('"token_type" in the answer of the authorization server must be "Bearer"')
    }
    const { access_token, expires_in } = token
    return { token: new Secret(access_token), expiresInSeconds: expires_in }
  }
}

/** What the authorization server says, in words of ours: it is a peer like any other. */
const advice: Readonly<Record<string, string>> = {
  invalid_client: 'it does not accept the client: look at "clientId", its secret or key, "method"',
  invalid_scope: 'it does not give the scopes: look at "scopes"',
  invalid_target: 'it gives no token for "resource"',
  unauthorized_client: 'the client may not use the client credentials grant',
  unsupported_grant_type: 'it has no client credentials grant',
}

async function grant<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const { code, error: said } = error as { readonly code?: unknown; readonly error?: unknown }
    if (code === 'ERR_PEER_UNREACHABLE' || code === 'ERR_PEER_ANSWER') throw error
    const why = typeof said === 'string' && Object.hasOwn(advice, said) ? advice[said] : undefined
    // The answer may hold a token: it is not passed on as a cause.
    throw refused(
      `the authorization server gave no token: ${why ?? 'its answer is none that holds'}`,
    )
  }
}

const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']

const names = [
  'clientId',
  'clientSecret',
  'privateKey',
  'kid',
  'method',
  'tokenEndpoint',
  'issuer',
  'scopes',
  'resource',
  'audience',
  'fetch',
  'clock',
] as const satisfies readonly (keyof ClientCredentialsOptions)[]

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

function check(options: ClientCredentialsOptions): void {
  const checks = checkOptions('clientCredentials')
  const { method = methodOf(options), scopes = [] } = options
  checks.known(options, names)
  checks.check(isText(options.clientId), '"clientId" must be a non-empty string')
  checks.check(methods.includes(method), `"method" must be one of ${methods.join(', ')}`)
  if (method === 'private_key_jwt') {
    checks.check(
      isAssertionKey(options.privateKey),
      '"privateKey" must be a private CryptoKey, or a private JWK whose "alg" is RS256, PS256, ES256 or EdDSA',
    )
  } else {
    checks.check(isText(options.clientSecret), '"clientSecret" must be a non-empty string')
  }
  for (const name of ['tokenEndpoint', 'issuer', 'resource'] as const) {
    // Whether "http" will do is for the Receiver to say, when it asks for a token.
    if (options[name] !== undefined) checks.url(name, options[name], true)
  }
  checks.check(
    Array.isArray(scopes) && scopes.every((scope) => /^[!#-[\]-~]+$/.test(String(scope))),
    '"scopes" must be an array of scopes, each without spaces',
  )
  checks.done()
}
