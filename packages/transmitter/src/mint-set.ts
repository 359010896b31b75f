import { setType } from '@drawbridge/schema'
import { CompactSign } from 'jose'
import type { SigningKey } from './keys/key-ring.ts'

const encoder = new TextEncoder()

/**
 * Signs the claims of a SET, given as JSON, with explicit typing. The signature is made off the
 * main thread, so several can be in flight.
 *
 * @see OpenID SSF 1.0, "Explicit Typing of SETs"
 */
export function mintSet(claims: string, { alg, kid, privateKey }: SigningKey): Promise<string> {
  return new CompactSign(encoder.encode(claims))
    .setProtectedHeader({ alg, kid, typ: setType })
    .sign(privateKey)
}
