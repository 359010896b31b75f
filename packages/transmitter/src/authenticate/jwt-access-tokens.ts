import { checkOptions, systemClock, type Clock } from '@drawbridge/core'
import {
  decodeJwt,
  decodeProtectedHeader,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { bearerToken, isUnavailable, type Authenticate } from './authenticate.ts'
import { receiverOf, type ReceiverOf } from './receiver-of.ts'
import { isServerUrl, serverKeys } from './server-keys.ts'

/** Which access tokens {@link jwtAccessTokens} accepts. */
export interface JwtAccessTokenOptions {
  /** The issuer of the authorization server, exactly as it stands in `iss`. */
  readonly issuer: string
  /** What stands in `aud` for this Transmitter's API. */
  readonly audience: string
  /** Where its keys are. Default: what its metadata says (RFC 8414, or OpenID Connect). */
  readonly jwksUri?: string
  /** Default: RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly string[]
  /**
   * Accepts the `typ` `JWT`, or none, for authorization servers that do not write `at+jwt`. A SET
   * is refused all the same. Default: false.
   */
  readonly anyType?: boolean
  /** The longest life of a token, from `nbf` or `iat` to `exp`, in seconds. Default: any. */
  readonly maxLifetimeSeconds?: number
  /** How far clocks may differ, in seconds. Default: 5. */
  readonly clockToleranceSeconds?: number
  /**
   * Tells which Receiver a token belongs to, or undefined for none. Default: the `client_id` (or
   * `azp`, or `sub`) is its `id` and its audience, and `scope` (or `scp`) what it may do.
   */
  readonly receiver?: ReceiverOf
  /** How long an answer of the authorization server may take, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number
  /** Allows `http` URLs of the authorization server. For tests. Default: false. */
  readonly allowInsecureHttp?: boolean
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Default: the machine's clock. */
  readonly clock?: Clock
}

const names: readonly (keyof JwtAccessTokenOptions)[] = [
  'issuer',
  'audience',
  'jwksUri',
  'algorithms',
  'anyType',
  'maxLifetimeSeconds',
  'clockToleranceSeconds',
  'receiver',
  'timeoutMs',
  'allowInsecureHttp',
  'fetch',
  'clock',
]

/**
 * Authenticates Receivers by JWT access tokens of an authorization server: signature, type, issuer,
 * audience and time are judged. While its keys cannot be had, requests are answered with 503, for
 * their tokens may be good.
 *
 * @throws OptionsError with every mistake
 * @see RFC 9068, "Validating JWT Access Tokens"
 */
export function jwtAccessTokens(options: JwtAccessTokenOptions): Authenticate {
  check(options)
  const { issuer, jwksUri, fetch = globalThis.fetch, clock = systemClock } = options
  const { timeoutMs = 5000, allowInsecureHttp = false } = options
  const keys = serverKeys({ issuer, jwksUri, fetch, clock, timeoutMs, allowInsecureHttp })
  const authenticate = async (request: Request): Promise<ReceiverIdentity | undefined> => {
    const token = bearerToken(request)
    if (token === undefined || !isWorthKeys(token, options)) return undefined
    const claims = await verify(token, keys, options)
    return claims && receiverOf(claims, options.receiver)
  }
  return Object.assign(authenticate, { authorizationServers: [issuer] })
}

/** Anybody can send a token: one of another kind or issuer must not make us ask for keys. */
function isWorthKeys(token: string, { issuer, anyType }: JwtAccessTokenOptions): boolean {
  try {
    return (
      isAccessToken(decodeProtectedHeader(token).typ, anyType) && decodeJwt(token).iss === issuer
    )
  } catch {
    return false
  }
}

/** The claims of a token that is good, or undefined. */
async function verify(
  token: string,
  keys: JWTVerifyGetKey,
  options: JwtAccessTokenOptions,
): Promise<JWTPayload | undefined> {
  const { issuer, audience, algorithms = defaultAlgorithms, clock = systemClock } = options
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: options.clockToleranceSeconds ?? 5,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp'],
    })
    return isShort(payload, options) ? payload : undefined
  } catch (error) {
    if (isUnavailable(error)) throw error
    return undefined
  }
}

const defaultAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** A media type without "/" has "application/" before it, and case does not count. */
function isAccessToken(typ: string | undefined, anyType = false): boolean {
  const name = typ?.toLowerCase().replace(/^application\//, '')
  return name === 'at+jwt' || (anyType && (name === undefined || name === 'jwt'))
}

function isShort(
  { exp = Infinity, nbf, iat }: JWTPayload,
  { maxLifetimeSeconds = Infinity }: JwtAccessTokenOptions,
): boolean {
  if (maxLifetimeSeconds === Infinity) return true
  return exp - (nbf ?? iat ?? -Infinity) <= maxLifetimeSeconds
}

function check(options: JwtAccessTokenOptions): void {
  const checks = checkOptions('jwtAccessTokens')
  checks.known(options, names)
  const { allowInsecureHttp = false } = options
  checks.url('issuer', options.issuer, allowInsecureHttp)
  checks.check(
    typeof options.audience === 'string' && options.audience !== '',
    '"audience" must be a non-empty string: what "aud" has for this API',
  )
  checks.check(
    options.jwksUri === undefined || isServerUrl(options.jwksUri, allowInsecureHttp),
    '"jwksUri" must be an https URL',
  )
  checks.check(
    (options.algorithms ?? []).every((name) => /^([RPE]S\d|Ed)/.test(name)),
    '"algorithms" must name signatures with public keys, such as "RS256"',
  )
  for (const name of ['maxLifetimeSeconds', 'clockToleranceSeconds', 'timeoutMs'] as const) {
    const value = options[name]
    checks.check(
      value === undefined || (Number.isSafeInteger(value) && value >= 0),
      `"${name}" must be an integer of 0 or more`,
    )
  }
  checks.done()
}
