import type { SigningAlgorithm } from './signing-algorithm.ts'

/**
 * A key outside of the store, such as one in a key management service or a hardware module.
 *
 * ```ts
 * const signer: Signer = {
 *   kid: 'signals-2026',
 *   alg: 'RS256',
 *   publicJwk: { kty: 'RSA', n, e },
 *   sign: (data) =>
 *     kms.sign({ key: 'signals-2026', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', data }),
 * }
 * ```
 */
export interface Signer {
  /** What the JWK Set calls the key. No other may have the same. */
  readonly kid: string
  readonly alg: SigningAlgorithm
  /** The public key, a JWK. What is private in it is refused; of an RSA key, 2048 bits are due. */
  readonly publicJwk: PublicJwk
  /**
   * Signs, and gives the signature as JWS has it: for ES256 the two numbers of 32 bytes each, not
   * DER. It has five seconds; if it is late or rejects, the delivery is tried again later.
   *
   * @see RFC 7518, "Digital Signature with ECDSA"
   */
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>
}

/** The members of a public key; others of a JWK may be there and are not published. */
export interface PublicJwk {
  readonly kty?: string
  readonly n?: string
  readonly e?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
}
