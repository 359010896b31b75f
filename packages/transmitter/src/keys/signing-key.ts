import {
  constants,
  createPrivateKey,
  sign as signAway,
  type JsonWebKey,
  type SigningOptions,
} from 'node:crypto'
import type { Signer } from './signer.ts'
import type { SigningAlgorithm } from './signing-algorithm.ts'

/** A key to sign with: one of the store, or one outside. */
export interface SigningKey extends Pick<Signer, 'kid' | 'alg' | 'sign'> {
  /** Whether it signs outside of this process, or at least of this package. */
  readonly isOutside: boolean
}

/** How OpenSSL signs as JWS wants it. */
interface Way extends SigningOptions {
  /** Null where the algorithm has its own. */
  readonly digest: string | null
}

const ways: Readonly<Record<SigningAlgorithm, Way>> = {
  RS256: { digest: 'sha256', padding: constants.RSA_PKCS1_PADDING },
  PS256: { digest: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  ES256: { digest: 'sha256', dsaEncoding: 'ieee-p1363' },
  EdDSA: { digest: null },
}

/**
 * Makes the function that signs with a private key, off the main thread, so that several can be in
 * flight. A signature costs the main thread less so than by Web Cryptography.
 *
 * @see RFC 7518, "Cryptographic Algorithms for Digital Signatures and MACs"; RFC 8037, "Signing"
 */
export function signWith(jwk: JsonWebKey, alg: SigningAlgorithm): SigningKey['sign'] {
  const { digest, ...options } = ways[alg]
  const key = { key: createPrivateKey({ key: jwk, format: 'jwk' }), ...options }
  return (data) =>
    new Promise((resolve, reject) => {
      signAway(digest, data, key, (error, signature) => {
        if (error) reject(error)
        else resolve(signature)
      })
    })
}
