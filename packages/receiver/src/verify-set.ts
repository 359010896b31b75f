import {
  compactVerify,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type CompactJWSHeaderParameters,
  type CompactVerifyGetKey,
} from 'jose'
import { SetError } from '@drawbridge/schema'
import { PeerUnavailableError } from './peer/peer.ts'

/** Verifies compact SETs of one Transmitter and gives their claims. */
export type VerifySet = (token: string) => Promise<unknown>

/** What a SET must be signed with. */
export interface VerifySetOptions {
  readonly issuer: string
  readonly algorithms: readonly string[]
  /** The key that a header names. */
  readonly keys: CompactVerifyGetKey
}

/**
 * The keys at a `jwks_uri`: fetched when first needed, again when a `kid` is unknown (once in 30
 * seconds) and after ten minutes, so that a retired key goes.
 */
export function remoteKeys(jwksUri: string, fetch: typeof globalThis.fetch): CompactVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(jwksUri), { [customFetch]: fetch })
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      if (isMismatch(error)) throw error
      throw new PeerUnavailableError('the keys of the Transmitter cannot be read', { cause: error })
    }
  }
}

const isMismatch = (error: unknown): boolean =>
  codeOf(error) === errors.JWKSNoMatchingKey.code ||
  codeOf(error) === errors.JWKSMultipleMatchingKeys.code ||
  codeOf(error) === errors.JOSENotSupported.code

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code

/**
 * Checks size, structure, `typ`, issuer, algorithm, key and signature of a SET, in this order, and
 * returns its claims. Keys come from the Transmitter's JWKS alone, never from the header.
 *
 * @throws SetError `invalid_request`, `invalid_issuer` or `invalid_key`
 * @throws PeerUnavailableError when the keys cannot be had just now: the SET is not at fault
 * @see OpenID SSF 1.0, "SET Profile"; RFC 8725
 */
export function createVerifySet({ issuer, algorithms, keys }: VerifySetOptions): VerifySet {
  const options = { algorithms: [...algorithms] }
  const verifySignature = async (token: string): Promise<void> => {
    let header: CompactJWSHeaderParameters
    try {
      header = (await compactVerify(token, keys, options)).protectedHeader
    } catch (error) {
      throw verdict(error)
    }
    // Then the signed payload is not what the claims were decoded from (RFC 7797, section 7).
    if (header.b64 === false) throw malformed(undefined)
  }
  return async (token) => {
    checkHeader(token)
    const claims = claimed(token)
    // Before the signature, which a foreign issuer's key could not verify anyway.
    if (claims['iss'] !== issuer) {
      throw new SetError(
        'ERR_SET_ISSUER',
        'invalid_issuer',
        '"iss" is not the Transmitter whose streams are received here',
      )
    }
    await verifySignature(token)
    return claims
  }
}

function checkHeader(token: string): void {
  let typ: unknown
  try {
    typ = decodeProtectedHeader(token).typ
  } catch (cause) {
    throw malformed(cause)
  }
  // A media type without "/" has "application/" before it, and case does not count (RFC 7515, "typ").
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined
  if (name !== 'secevent+jwt') {
    throw new SetError(
      'ERR_SET_TYPE',
      'invalid_request',
      '"typ" in the header must be "secevent+jwt"',
    )
  }
}

function claimed(token: string): Record<string, unknown> {
  try {
    return decodeJwt(token)
  } catch (cause) {
    throw malformed(cause)
  }
}

function verdict(error: unknown): Error {
  switch (codeOf(error)) {
    case 'ERR_PEER_UNREACHABLE':
      return error as PeerUnavailableError
    case errors.JWSSignatureVerificationFailed.code:
      return new SetError('ERR_SET_SIGNATURE', 'invalid_key', 'the signature does not verify')
    case errors.JOSEAlgNotAllowed.code:
      return new SetError('ERR_SET_KEY', 'invalid_key', '"alg" in the header is not accepted here')
    case errors.JWSInvalid.code:
      return malformed(error)
    default:
      // No key fits, or the one that does cannot be used: too short, or of another kind.
      return new SetError(
        'ERR_SET_KEY',
        'invalid_key',
        'no key of the Transmitter fits the header of the SET',
        { cause: error },
      )
  }
}

const malformed = (cause: unknown): SetError =>
  new SetError('ERR_SET_MALFORMED', 'invalid_request', 'the body is not a signed SET', { cause })
