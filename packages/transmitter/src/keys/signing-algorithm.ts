/**
 * The signature algorithms a Transmitter can use, by their names in JOSE: RSA with 2048 bits
 * (`RS256`, `PS256`), P-256 (`ES256`) and Ed25519 (`EdDSA`).
 *
 * @see RFC 7518, "Cryptographic Algorithms for Digital Signatures and MACs"
 * @see RFC 8037, "Signing"
 */
export type SigningAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'

/** All of them. */
const signingAlgorithms: readonly SigningAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** Tells whether a text names one of them. */
export const isSigningAlgorithm = (text: unknown): text is SigningAlgorithm =>
  (signingAlgorithms as readonly unknown[]).includes(text)
