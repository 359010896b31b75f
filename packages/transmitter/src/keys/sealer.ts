import type { webcrypto } from 'node:crypto'
import type { Secret } from '@drawbridge/core'
import { deriveKey, type Purpose } from './derive.ts'

/** Encrypts texts for the store. */
export interface Sealer {
  /** Encrypts a text. It can only be opened with the same `owner`, such as the id of its row. */
  seal(text: string, owner: string): Promise<string>
  /** @throws When the text was sealed under another secret, for another owner, or was changed */
  open(sealed: string, owner: string): Promise<string>
}

const ivLength = 12
const encoder = new TextEncoder()
const decoder = new TextDecoder()

const algorithm = (iv: Uint8Array<ArrayBuffer>, owner: string): webcrypto.AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: encoder.encode(owner),
})

/** Makes a sealer: AES-256-GCM with a random nonce, under a key derived for one purpose. */
export async function createSealer(secret: Secret, purpose: Purpose): Promise<Sealer> {
  const key = await deriveKey(secret, purpose)
  return {
    seal: async (text, owner) => {
      const iv = crypto.getRandomValues(new Uint8Array(ivLength))
      const sealed = await crypto.subtle.encrypt(algorithm(iv, owner), key, encoder.encode(text))
      return Buffer.concat([iv, new Uint8Array(sealed)]).toString('base64url')
    },
    open: async (sealed, owner) => {
      const bytes = new Uint8Array(Buffer.from(sealed, 'base64url'))
      const text = await crypto.subtle.decrypt(
        algorithm(bytes.slice(0, ivLength), owner),
        key,
        bytes.slice(ivLength),
      )
      return decoder.decode(text)
    },
  }
}
