import type { CryptoKey } from 'jose'
import type { Signer } from './signer.ts'
import type { SigningAlgorithm } from './signing-algorithm.ts'

/** A key to sign with: one of the store, or one outside. */
export type SigningKey = InsideKey | OutsideKey

/** A key of the store. */
export interface InsideKey {
  /** RFC 7638 thumbprint: what the JWK Set calls the key. */
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly privateKey: CryptoKey
}

/** A key that signs outside of this process, or at least of this package. */
export type OutsideKey = Pick<Signer, 'kid' | 'alg' | 'sign'>
