import { sha256 } from '@drawbridge/core'

/** The header of a Logout Token; the signer adds `alg` and `kid`. */
export interface LogoutTokenHeader {
  readonly typ: 'logout+jwt'
}

/**
 * The claims of a Logout Token.
 *
 * @see OpenID Connect Back-Channel Logout 1.0, "Logout Token"
 */
export interface LogoutTokenClaims {
  readonly iss: string
  /** The `client_id`. */
  readonly aud: string
  /** NumericDate, seconds. */
  readonly iat: number
  /** NumericDate, seconds. */
  readonly exp: number
  /** The same in every attempt at the same logout. */
  readonly jti: string
  readonly events: { readonly 'http://schemas.openid.net/event/backchannel-logout': object }
  readonly sub?: string
  readonly sid?: string
}

/** What a Logout Token is made of. */
export interface LogoutTokenParts {
  readonly issuer: string
  readonly client_id: string
  readonly sub?: string
  readonly sid?: string
  /** The key of the hook's call. */
  readonly key: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly lifetimeSeconds: number
}

/**
 * Makes the claims of a Logout Token. Never with a `nonce`: nobody shall take it for an ID Token.
 *
 * @see OpenID Connect Back-Channel Logout 1.0, "Logout Token"
 */
export async function logoutTokenClaims(parts: LogoutTokenParts): Promise<LogoutTokenClaims> {
  const { issuer, client_id, sub, sid, key, now, lifetimeSeconds } = parts
  const iat = Math.floor(now / 1000)
  return {
    iss: issuer,
    aud: client_id,
    iat,
    exp: iat + lifetimeSeconds,
    jti: await hash([key, client_id, sub ?? null, sid ?? null]),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    ...(sub === undefined ? {} : { sub }),
    ...(sid === undefined ? {} : { sid }),
  }
}

/** A hash: the key has the Transmitter's text in it, which is none of the client's business. */
async function hash(parts: readonly (string | null)[]): Promise<string> {
  const bytes = await sha256(JSON.stringify(parts))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
