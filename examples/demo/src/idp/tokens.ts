import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import type { JWK, JWTPayload } from 'jose'

/** A token that is to be signed. */
export interface Minted {
  /** An ID Token is `JWT`, an access token `at+jwt`. */
  readonly typ: 'JWT' | 'at+jwt'
  readonly sub: string
  readonly aud: string
  /** What it says besides. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The provider's key, and what is signed with it. */
export interface Tokens {
  /** For others to verify with. */
  readonly jwk: JWK
  mint(token: Minted): Promise<string>
  /** Resolves with the claims of a token that is from here, for this audience, and still good. */
  read(token: string, audience: string): Promise<JWTPayload | undefined>
}

/** How long every token is good for, in seconds. Long enough for a person to play with the demo. */
export const lifetimeSeconds = 3600

/** Makes a key. */
export async function createTokens(issuer: string): Promise<Tokens> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'login', alg: 'ES256', use: 'sig' }
  const keys = createLocalJWKSet({ keys: [jwk] })
  return {
    jwk,
    mint: ({ typ, sub, aud, claims }) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: jwk.kid, typ })
        .setIssuer(issuer)
        .setSubject(sub)
        .setAudience(aud)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds}s`)
        .sign(privateKey),
    read: async (token, audience) => {
      const verified = await jwtVerify(token, keys, { issuer, audience }).catch(() => undefined)
      return verified?.payload
    },
  }
}
