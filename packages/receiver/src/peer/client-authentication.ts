import { Secret, type Clock } from '@drawbridge/core'
import {
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  modifyAssertion,
  PrivateKeyJwt,
  type Client,
  type ClientAuth,
  type CryptoKey,
  type JWK,
} from 'oauth4webapi'
import { memoUntilFailure } from '../memo.ts'

/** How a client proves to an authorization server who it is. */
export type ClientAuthenticationMethod =
  'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

/** What a client proves it with. */
export interface ClientAuthenticationOptions {
  readonly clientId: string
  /** The secret that was agreed with the authorization server. */
  readonly clientSecret?: string
  /**
   * The private key whose public one the authorization server knows: a JWK with `alg`, or a
   * CryptoKey.
   */
  readonly privateKey?: JWK | CryptoKey
  /** The `kid` of the key. Default: that of the JWK, else none. */
  readonly kid?: string
  /** Default: `client_secret_basic` with a secret, `private_key_jwt` with a key. */
  readonly method?: ClientAuthenticationMethod
}

interface ImportAlgorithm {
  readonly name: string
  readonly hash?: string
  readonly namedCurve?: string
}

const ecdsa: ImportAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const rsa = (name: string): ImportAlgorithm => ({ name, hash: 'SHA-256' })

/** The signatures that an assertion may have. */
const importAs: Readonly<Record<string, ImportAlgorithm>> = {
  RS256: rsa('RSASSA-PKCS1-v1_5'),
  PS256: rsa('RSA-PSS'),
  ES256: ecdsa,
  EdDSA: { name: 'Ed25519' },
  Ed25519: { name: 'Ed25519' },
}

/** Tells whether a value is a private key that can sign an assertion. */
export function isAssertionKey(key: unknown): boolean {
  const { d, alg, type } = (key ?? {}) as { d?: unknown; alg?: unknown; type?: unknown }
  if (type === 'private') return true
  return typeof d === 'string' && typeof alg === 'string' && Object.hasOwn(importAs, alg)
}

/** Makes what a request for a token is authenticated with. The key is read when first needed. */
export function clientAuthentication(
  options: ClientAuthenticationOptions,
): () => Promise<ClientAuth> {
  const { clientSecret = '', privateKey, method = methodOf(options) } = options
  if (method === 'private_key_jwt' && privateKey) {
    return memoUntilFailure(() => assertion(privateKey, options.kid))
  }
  const secret = new Secret(clientSecret)
  const authenticate = method === 'client_secret_post' ? ClientSecretPost : ClientSecretBasic
  return () => Promise.resolve(authenticate(secret.reveal()))
}

/** The method that options without one mean. */
export const methodOf = ({
  privateKey,
}: ClientAuthenticationOptions): ClientAuthenticationMethod =>
  privateKey === undefined ? 'client_secret_basic' : 'private_key_jwt'

/** The client by whose clock an assertion is made. */
export const clientOf = (client_id: string, clock: Clock): Client => ({
  client_id,
  [clockSkew]: Math.round((clock.now() - Date.now()) / 1000),
})

async function assertion(given: JWK | CryptoKey, kid?: string): Promise<ClientAuth> {
  if ('type' in given) return PrivateKeyJwt(withKid(given, kid))
  const { alg = '', kid: own } = given
  const { key_ops: _ops, use: _use, ...jwk } = given
  const algorithm = importAs[alg]
  if (!algorithm) throw new TypeError('"privateKey.alg" must name a signature')
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  // Some servers know a signature by one of its two names alone: the one of the JWK.
  const named = {
    [modifyAssertion]: (header: Record<string, unknown>) => void (header['alg'] = alg),
  }
  return PrivateKeyJwt(withKid(key, kid ?? own), named)
}

const withKid = (key: CryptoKey, kid: string | undefined): { key: CryptoKey; kid?: string } => ({
  key,
  ...(kid === undefined ? {} : { kid }),
})
