import { setType } from '@drawbridge/schema'
import { CompactSign } from 'jose'
import type { SigningKey } from './keys/signing-key.ts'

const encoder = new TextEncoder()

/**
 * Signs the claims of a SET, given as JSON, with explicit typing. The signature is made off the
 * main thread, so several can be in flight.
 *
 * @throws SharedSignalsError `ERR_SIGNER` when a signer outside does not sign, or not in time
 * @see OpenID SSF 1.0, "Explicit Typing of SETs"
 */
export async function mintSet(claims: string, key: SigningKey): Promise<string> {
  const header = { alg: key.alg, kid: key.kid, typ: setType }
  if (!('sign' in key)) {
    const jws = new CompactSign(encoder.encode(claims))
    return jws.setProtectedHeader(header).sign(key.privateKey)
  }
  const parts = [JSON.stringify(header), claims].map((part) => base64url(encoder.encode(part)))
  const signed = parts.join('.')
  const signature = await key.sign(encoder.encode(signed))
  return `${signed}.${base64url(signature)}`
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
