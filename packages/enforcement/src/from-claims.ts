import { checkOptions } from '@drawbridge/core'
import { issSub, jwtId, opaque, type ComplexSubjectInput } from '@drawbridge/schema'
import type { SessionKind, Who } from './session.ts'

/** The claims of a token that was verified, or of an ID Token. */
export type TokenClaims = Readonly<Record<string, unknown>>

/** What the claims do not say. */
export interface FromClaimsOptions {
  /**
   * When the grant began that the token comes from, for tokens without `auth_time`; `'iat'` for
   * tokens that are never refreshed or exchanged, where each is an authentication of its own.
   * Default: the claim `auth_time`; the `iat` of a client's own token (`sub` is `client_id`).
   */
  readonly began?: Date | 'iat'
  /** Default: `agent` with an `act` claim, `service` for a client's own token, else `human`. */
  readonly kind?: SessionKind
  /** More that is known: `{ device, tenant, credential }`. Default: nothing. */
  readonly subject?: ComplexSubjectInput
}

/**
 * Says who makes a request from the claims of its token: `iss`, `sub`, `sid`, `jti`, `client_id`
 * (or `azp`), `act`, `acr`, `scope`, and when it began. Pure; the signature must have been
 * verified.
 *
 * @example
 *   const { payload } = await jwtVerify(token, keys, { issuer, audience })
 *   const decision = enforcement.check(fromClaims(payload), { requires: ['files:write'] })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names the claim; without `auth_time`, unless
 *   `began` says when the grant began: the `iat` of a refreshed token would escape every cut
 * @see RFC 9068, "Data Structure"; RFC 8693, "Actor Claim"; OpenID Connect Core 1.0, "ID Token"
 */
export function fromClaims(claims: TokenClaims, options: FromClaimsOptions = {}): Who {
  const { check, done } = checkOptions('fromClaims')
  const text = (name: string): string | undefined => textOf(claims, name)
  const iss = text('iss') ?? ''
  const sub = text('sub') ?? ''
  check(iss !== '', '"claims.iss" must be a text')
  check(sub !== '', '"claims.sub" must be a text')
  const client = text('client_id') ?? text('azp')
  const isOwnToken = client !== undefined && client === sub
  const began = beganOf(claims, options.began ?? (isOwnToken ? 'iat' : undefined))
  check(
    began !== undefined,
    '"claims.auth_time" must be a NumericDate; without it, "began" must say when the grant began, or "iat" where tokens are never refreshed',
  )
  done()
  const acr = text('acr')
  const scope = text('scope')
  return {
    subject: { ...subjectOfClaims(claims, iss, sub, client), ...options.subject },
    began: began ?? new Date(Number.NaN),
    issuer: iss,
    kind: options.kind ?? (claims['act'] ? 'agent' : isOwnToken ? 'service' : 'human'),
    ...(acr !== undefined && { acr }),
    ...(scope !== undefined && { grants: scope.split(' ').filter(Boolean) }),
  }
}

function subjectOfClaims(
  claims: TokenClaims,
  iss: string,
  sub: string,
  client: string | undefined,
): ComplexSubjectInput {
  const sid = textOf(claims, 'sid')
  const jti = textOf(claims, 'jti')
  const actor = actorOf(claims, iss)
  return {
    user: issSub(iss, sub),
    ...(sid !== undefined && { session: opaque(sid) }),
    ...(client !== undefined && { application: opaque(client) }),
    ...(jti !== undefined && { token: jwtId(iss, jti) }),
    ...(actor && { actor }),
  }
}

/** Who acts for the user now; who acted before it is no part of the decision (RFC 8693). */
function actorOf(claims: TokenClaims, iss: string): ReturnType<typeof issSub> | undefined {
  const act = claims['act']
  if (typeof act !== 'object' || act === null) return undefined
  const sub = textOf(act as TokenClaims, 'sub')
  return sub === undefined ? undefined : issSub(textOf(act as TokenClaims, 'iss') ?? iss, sub)
}

function beganOf(claims: TokenClaims, began: Date | 'iat' | undefined): Date | undefined {
  const authenticated = dateOf(claims['auth_time'])
  if (authenticated) return authenticated
  return began === 'iat' ? dateOf(claims['iat']) : began
}

const dateOf = (value: unknown): Date | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value > 0
    ? new Date(value * 1000)
    : undefined

function textOf(claims: TokenClaims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
