import { createHmac } from 'node:crypto'
import type { Secret } from '@drawbridge/core'
import { deriveBytes } from './derive.ts'

/** So many bytes of a digest that two keys never meet. */
const pseudonymBytes = 16

/**
 * Makes opaque keys of 22 characters: who has the store alone cannot tell which subject one is.
 *
 * @see RFC 2104, "HMAC: Keyed-Hashing for Message Authentication"
 */
export async function createPseudonym(secret: Secret): Promise<(key: string) => string> {
  const bytes = new Uint8Array(await deriveBytes(secret, 'pseudonymous subject keys'))
  return (key) =>
    createHmac('sha256', bytes).update(key).digest().toString('base64url', 0, pseudonymBytes)
}
