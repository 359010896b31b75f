import {
  compactVerify,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type CompactJWSHeaderParameters,
  type CryptoKey,
  type FlattenedJWSInput,
} from 'jose'
import type { Clock } from '@drawbridge/core'
import { readJson, SetError, type PeerError } from '@drawbridge/schema'
import { PeerUnavailableError } from './peer/peer-unavailable.ts'

/** Verifies compact SETs of one Transmitter and gives their claims. */
export type VerifySet = (token: string) => Promise<unknown>

/** What a SET must be signed with. */
export interface VerifySetOptions {
  readonly issuer: string
  /** Whether an `iss` is that of the issuer. Default: when it is identical. */
  readonly isIssuer?: (iss: unknown) => boolean
  readonly algorithms: readonly string[]
  /** Takes a `typ` that is missing or `JWT`, too. */
  readonly untypedSets: boolean
  readonly keys: FindKey
}

/**
 * Finds the key that a header names. Before it asks anybody for keys it calls `judge`, which throws
 * for a SET that is not worth it.
 */
export type FindKey = (
  header: CompactJWSHeaderParameters,
  set: FlattenedJWSInput,
  judge: () => void,
) => Promise<CryptoKey>

/**
 * The keys at a `jwks_uri`: fetched when first needed, again when a `kid` is unknown (twice in 30
 * seconds) and after ten minutes, so that a retired key goes.
 *
 * @param fetch One with limits
 */
export function remoteKeys(jwksUri: string, fetch: typeof globalThis.fetch, clock: Clock): FindKey {
  /** The `kid`s that the keys at hand were found by. */
  const found = new Set<string>()
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    [customFetch]: async (url, init) => {
      found.clear()
      return await fetch(url, init)
    },
  })
  let reloadedAt = -Infinity
  let hasFailed = false
  /** A key that is new since the last fetch, however short ago that was: rotations come in a row. */
  const findAgain = async (
    header: CompactJWSHeaderParameters,
    set: FlattenedJWSInput,
    error: unknown,
  ): Promise<CryptoKey> => {
    if (!keys.coolingDown) throw error
    if (clock.now() - reloadedAt < (hasFailed ? retryEveryMs : reloadEveryMs)) {
      // Where the keys could not be read, nobody knows that this one is not among them.
      throw hasFailed ? new Error('the keys could not be read a moment ago') : error
    }
    reloadedAt = clock.now()
    hasFailed = true
    await keys.reload()
    hasFailed = false
    return await keys(header, set)
  }
  return async (header, set, judge) => {
    const { kid = '' } = header
    if (!keys.fresh || !found.has(kid)) judge()
    try {
      const key = await keys(header, set).catch((error: unknown) => {
        if (codeOf(error) !== errors.JWKSNoMatchingKey.code) throw error
        return findAgain(header, set, error)
      })
      found.add(kid)
      return key
    } catch (error) {
      if (isMismatch(error)) throw error
      throw new PeerUnavailableError('the keys of the Transmitter cannot be read', { cause: error })
    }
  }
}

/** Unknown keys, which anybody can name, make us ask so often at most. */
const reloadEveryMs = 30_000
const retryEveryMs = 1000

const isMismatch = (error: unknown): boolean =>
  codeOf(error) === errors.JWKSNoMatchingKey.code ||
  codeOf(error) === errors.JWKSMultipleMatchingKeys.code ||
  codeOf(error) === errors.JOSENotSupported.code

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code
const nameOf = (error: unknown): unknown => (error as { name?: unknown } | null)?.name

/**
 * Checks structure, `typ`, issuer, algorithm, key and signature of a SET, and returns its claims.
 * Of several mistakes it names the first in this order. Keys come from the Transmitter's JWKS
 * alone, never from the header.
 *
 * @throws SetError `invalid_request`, `invalid_issuer` or `invalid_key`
 * @throws PeerError when the metadata or the keys cannot be had just now: the SET is not at fault
 * @see OpenID SSF 1.0, "SET Profile"; RFC 8725
 */
export function createVerifySet(settings: VerifySetOptions): VerifySet {
  const { issuer, keys, untypedSets } = settings
  const { isIssuer = (iss: unknown) => iss === issuer } = settings
  const options = { algorithms: [...settings.algorithms] }
  return async (token) => {
    // Anybody can send a SET: one of somebody else must not make us ask for keys.
    const judge = (): void => {
      checkType(wellFormed(() => decodeProtectedHeader(token)).typ, untypedSets)
      checkIssuer(
        wellFormed(() => decodeJwt(token)),
        isIssuer,
      )
    }
    try {
      // The signature first: a SET that holds, by a key that is known, is decoded once.
      const { protectedHeader, payload } = await compactVerify(
        token,
        (header: CompactJWSHeaderParameters, set: FlattenedJWSInput) => keys(header, set, judge),
        options,
      )
      checkType(protectedHeader.typ, untypedSets)
      return checkIssuer(claimsOf(payload), isIssuer)
    } catch (error) {
      if (nameOf(error) === 'SetError') throw error
      // What comes earlier in the order explains better why there is no key or signature.
      judge()
      throw verdict(error)
    }
  }
}

function claimsOf(payload: Uint8Array): Record<string, unknown> {
  const claims = readJson(payload)
  if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
    return claims as Record<string, unknown>
  }
  throw malformed(undefined)
}

function wellFormed<Part>(decode: () => Part): Part {
  try {
    return decode()
  } catch (cause) {
    throw malformed(cause)
  }
}

function checkType(typ: unknown, untypedSets: boolean): void {
  // A media type without "/" has "application/" before it, and case does not count (RFC 7515, "typ").
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined
  if (name === 'secevent+jwt') return
  // The triple without `sub` and `exp` is judged all the same: it passes for no other token.
  if (untypedSets && (typ === undefined || name === 'jwt')) return
  throw new SetError(
    'ERR_SET_TYPE',
    'invalid_request',
    '"typ" in the header must be "secevent+jwt"',
  )
}

function checkIssuer(
  claims: Record<string, unknown>,
  isIssuer: (iss: unknown) => boolean,
): Record<string, unknown> {
  if (isIssuer(claims['iss'])) return claims
  throw new SetError(
    'ERR_SET_ISSUER',
    'invalid_issuer',
    '"iss" is not the Transmitter whose streams are received here',
  )
}

function verdict(error: unknown): Error {
  switch (codeOf(error)) {
    // The metadata or the keys are what is wrong: the SET is not at fault.
    case 'ERR_PEER_UNREACHABLE':
    case 'ERR_PEER_ANSWER':
    case 'ERR_PEER_ISSUER':
      return error as PeerError
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
