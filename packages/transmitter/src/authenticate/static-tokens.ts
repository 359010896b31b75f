import { checkOptions, sameText, sha256 } from '@drawbridge/core'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { bearerToken, type Authenticate } from './authenticate.ts'

/** One access token that never changes, and whose it is: `token` or `sha256`, not both. */
export interface StaticToken extends Omit<ReceiverIdentity, 'scopes'> {
  /** The access token itself: letters, digits and `-._~+/`. */
  readonly token?: string
  /** The SHA-256 of the token, 64 hexadecimal digits, so that no configuration holds it. */
  readonly sha256?: string
  /** What it may do. Default: `ssf.read` and `ssf.manage`. */
  readonly scopes?: readonly string[]
}

/**
 * Authenticates Receivers by bearer tokens from configuration. Only their SHA-256 hashes are kept,
 * and every one is compared in constant time.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 * @see RFC 6750, "Authorization Request Header Field"
 */
export function staticTokens(tokens: readonly StaticToken[]): Authenticate {
  check(tokens)
  const known = Promise.all(tokens.map(knownToken))
  return async (request) => {
    const token = bearerToken(request)
    if (token === undefined) return undefined
    const hash = await hexSha256(token)
    let found: ReceiverIdentity | undefined
    // To the end also after a match: how long it takes tells nothing.
    for (const one of await known) if (sameText(one.hash, hash)) found = one.identity
    return found
  }
}

async function knownToken({
  token = '',
  sha256: hash,
  scopes = ['ssf.read', 'ssf.manage'],
  ...receiver
}: StaticToken): Promise<{ readonly hash: string; readonly identity: ReceiverIdentity }> {
  return {
    hash: hash?.toLowerCase() ?? (await hexSha256(token)),
    identity: { ...receiver, scopes },
  }
}

const hexSha256 = async (text: string): Promise<string> =>
  Buffer.from(await sha256(text)).toString('hex')

function check(tokens: readonly StaticToken[]): void {
  const { check: note, done } = checkOptions('staticTokens')
  for (const [index, { token, sha256: hash }] of tokens.entries()) {
    note(
      (token === undefined) !== (hash === undefined),
      `"[${index}]" must have either "token" or "sha256"`,
    )
    note(
      token === undefined || isBearerToken(token),
      `"[${index}].token" must be of letters, digits and -._~+/, as a header carries it`,
    )
    note(
      hash === undefined || /^[0-9a-f]{64}$/i.test(hash),
      `"[${index}].sha256" must be 64 hexadecimal digits`,
    )
  }
  done()
}

const isBearerToken = (token: string): boolean => /^[\w~+/.:=-]+$/.test(token)
