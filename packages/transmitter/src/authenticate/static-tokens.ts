import { sha256 } from '@drawbridge/core'
import type { Authenticate, ReceiverIdentity } from './receiver-identity.ts'

/** One access token that never changes, and whose it is. */
export interface StaticToken {
  readonly token: string
  readonly id: string
  /** The `aud` of the Receiver's SETs. */
  readonly audience: string
  /** Default: `ssf.read` and `ssf.manage`. */
  readonly scopes?: readonly string[]
}

const bearer = /^bearer +(\S+) *$/i

/**
 * Authenticates Receivers by bearer tokens from configuration. Only their SHA-256 hashes are kept,
 * and every one is compared in constant time.
 *
 * @see RFC 6750, "Authorization Request Header Field"
 */
export function staticTokens(tokens: readonly StaticToken[]): Authenticate {
  const known = Promise.all(
    tokens.map(async ({ token, id, audience, scopes = ['ssf.read', 'ssf.manage'] }) => ({
      hash: await sha256(token),
      identity: { id, audience, scopes } satisfies ReceiverIdentity,
    })),
  )
  return async (request) => {
    const token = bearer.exec(request.headers.get('authorization') ?? '')?.[1]
    if (token === undefined) return undefined
    const hash = await sha256(token)
    let found: ReceiverIdentity | undefined
    // To the end also after a match: how long it takes tells nothing.
    for (const one of await known) if (sameBytes(one.hash, hash)) found = one.identity
    return found
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length
  for (let index = 0; index < one.length; index++) {
    difference |= (one[index] ?? 0) ^ (other[index] ?? 0)
  }
  return difference === 0
}
