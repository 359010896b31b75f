import { checkOptions, systemClock, type Clock, type Secret } from '@drawbridge/core'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { ask, unusable } from './ask.ts'
import { bearerToken, type Authenticate } from './authenticate.ts'
import { receiverOf, type AccessTokenClaims, type ReceiverOf } from './receiver-of.ts'
import { createMemory } from './token-memory.ts'
import { isServerUrl } from './server-keys.ts'

/** How {@link introspection} asks about tokens. */
export interface IntrospectionOptions {
  /** The introspection endpoint of the authorization server. */
  readonly endpoint: string
  /** Its issuer: published for Receivers to find, and compared with `iss` where it answers one. */
  readonly issuer?: string
  readonly clientId: string
  readonly clientSecret: string | Secret
  /** What has to stand in `aud` of the answers. Default: not looked at. */
  readonly audience?: string
  /**
   * How long it is believed that a token is active, in seconds, and never beyond its `exp`. A
   * revoked token is good for so long; therefore the default is 0: every request is asked about.
   */
  readonly cacheSeconds?: number
  /**
   * Tells which Receiver a token belongs to, or undefined for none. Default: the `client_id` (or
   * `azp`, or `sub`) is its `id` and its audience, and `scope` what it may do.
   */
  readonly receiver?: ReceiverOf
  /** How long an answer may take, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number
  /** Allows an `http` URL of the endpoint. For tests. Default: false. */
  readonly allowInsecureHttp?: boolean
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Default: the machine's clock. */
  readonly clock?: Clock
}

const names: readonly (keyof IntrospectionOptions)[] = [
  'endpoint',
  'issuer',
  'clientId',
  'clientSecret',
  'audience',
  'cacheSeconds',
  'receiver',
  'timeoutMs',
  'allowInsecureHttp',
  'fetch',
  'clock',
]

/**
 * Authenticates Receivers by asking the authorization server about their access tokens. While it
 * does not answer, requests are answered with 503, for their tokens may be good.
 *
 * @throws OptionsError with every mistake
 * @see RFC 7662, "Introspection Endpoint"
 */
export function introspection(options: IntrospectionOptions): Authenticate {
  check(options)
  const { clock = systemClock, cacheSeconds = 0, issuer } = options
  const active = createMemory((token) => introspect(token, options), cacheSeconds * 1000, clock)
  const authenticate = async (request: Request): Promise<ReceiverIdentity | undefined> => {
    const token = bearerToken(request)
    if (token === undefined) return undefined
    const claims = await active(token)
    if (!claims || !isGood(claims, options, clock.now() / 1000)) return undefined
    return receiverOf(claims, options.receiver)
  }
  return issuer === undefined
    ? authenticate
    : Object.assign(authenticate, { authorizationServers: [issuer] })
}

/** What the authorization server says of a token that is active. */
async function introspect(
  token: string,
  options: IntrospectionOptions,
): Promise<AccessTokenClaims | undefined> {
  const { endpoint, fetch = globalThis.fetch, timeoutMs = 5000 } = options
  const answer = await ask(
    endpoint,
    { fetch, timeoutMs },
    {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Basic ${credentials(options)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    },
  )
  if (!answer) throw unusable('has no introspection at the URL in "endpoint"')
  return answer['active'] === true ? answer : undefined
}

function credentials({ clientId, clientSecret }: IntrospectionOptions): string {
  const secret = typeof clientSecret === 'string' ? clientSecret : clientSecret.reveal()
  return Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`).toString('base64')
}

/** @see RFC 6749, "Client Password" */
const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

function isGood(
  { exp, nbf, iss, aud }: AccessTokenClaims,
  { issuer, audience }: IntrospectionOptions,
  now: number,
): boolean {
  if (typeof exp === 'number' && exp <= now) return false
  if (typeof nbf === 'number' && nbf > now) return false
  if (issuer !== undefined && iss !== undefined && iss !== issuer) return false
  return audience === undefined || [aud].flat().includes(audience)
}

function check(options: IntrospectionOptions): void {
  const checks = checkOptions('introspection')
  const { endpoint, issuer, clientId, clientSecret } = options
  checks.known(options, names)
  checks.check(
    isServerUrl(endpoint, options.allowInsecureHttp === true),
    '"endpoint" must be the https URL of an introspection endpoint',
  )
  checks.check(issuer === undefined || URL.canParse(issuer), '"issuer" must be a URL')
  checks.check(typeof clientId === 'string' && clientId !== '', '"clientId" must be a text')
  checks.check(
    (typeof clientSecret === 'string' && clientSecret !== '') ||
      typeof (clientSecret as Partial<Secret> | undefined)?.reveal === 'function',
    '"clientSecret" must be a text or a Secret',
  )
  for (const name of ['cacheSeconds', 'timeoutMs'] as const) {
    const value = options[name]
    checks.check(
      value === undefined || (Number.isSafeInteger(value) && value >= 0),
      `"${name}" must be an integer of 0 or more`,
    )
  }
  checks.done()
}
