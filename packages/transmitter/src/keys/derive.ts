import type { webcrypto } from 'node:crypto'
import { hkdf } from '@panva/hkdf'
import type { Secret } from '@drawbridge/core'

/** What a derived key is for. One label, one use: no key of one purpose opens what another sealed. */
export type Purpose =
  'signing keys at rest' | 'authorization headers at rest' | 'pseudonymous subject keys'

/**
 * Derives an AES-256-GCM key from the Transmitter's secret for one purpose.
 *
 * @see RFC 5869, "HMAC-based Extract-and-Expand Key Derivation Function"
 */
export async function deriveKey(secret: Secret, purpose: Purpose): Promise<webcrypto.CryptoKey> {
  const bytes = await deriveBytes(secret, purpose)
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/**
 * Derives 32 bytes from the Transmitter's secret for one purpose.
 *
 * @see RFC 5869, "HMAC-based Extract-and-Expand Key Derivation Function"
 */
export async function deriveBytes(secret: Secret, purpose: Purpose): Promise<ArrayBuffer> {
  const label = `drawbridge transmitter: ${purpose}`
  // A copy: what comes may be a view into something larger.
  return new Uint8Array(await hkdf('sha256', secret.reveal(), '', label, 32)).buffer
}
