import type { webcrypto } from 'node:crypto'
import { hkdf } from '@panva/hkdf'
import type { Secret } from '@drawbridge/core'

/** What a derived key is for. One label, one use: no key of one purpose opens what another sealed. */
export type Purpose = 'signing keys at rest' | 'authorization headers at rest'

/**
 * Derives an AES-256-GCM key from the Transmitter's secret for one purpose.
 *
 * @see RFC 5869, "HMAC-based Extract-and-Expand Key Derivation Function"
 */
export async function deriveKey(secret: Secret, purpose: Purpose): Promise<webcrypto.CryptoKey> {
  const bytes = await hkdf('sha256', secret.reveal(), '', `drawbridge transmitter: ${purpose}`, 32)
  return crypto.subtle.importKey('raw', new Uint8Array(bytes), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ])
}
