import { setType } from '@drawbridge/schema'
import type { SigningKey } from './keys/signing-key.ts'

/**
 * Signs the claims of a SET, given as JSON, with explicit typing.
 *
 * @throws SharedSignalsError `ERR_SIGNER` when a signer outside does not sign, or not in time
 * @see OpenID SSF 1.0, "Explicit Typing of SETs"
 */
export async function mintSet(claims: string, key: SigningKey): Promise<string> {
  const signed = `${headOf(key)}.${base64url(encoder.encode(claims))}`
  const signature = await key.sign(encoder.encode(signed))
  return `${signed}.${base64url(signature)}`
}

const encoder = new TextEncoder()
const heads = new WeakMap<SigningKey, string>()

/** The protected header is the same for every SET of a key. */
function headOf(key: SigningKey): string {
  const known = heads.get(key)
  if (known !== undefined) return known
  const { alg, kid } = key
  const head = base64url(encoder.encode(JSON.stringify({ alg, kid, typ: setType })))
  heads.set(key, head)
  return head
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
