import type { Clock } from '@drawbridge/core'
import { boundedFetch } from './peer/bounded-fetch.ts'
import type { KnownMetadata } from './peer/known-metadata.ts'
import {
  createVerifySet,
  remoteKeys,
  type FindKey,
  type VerifySet,
  type VerifySetOptions,
} from './verify-set.ts'

/** What {@link verifySetOf} needs besides the metadata. */
export interface VerifyWithMetadata extends Omit<VerifySetOptions, 'keys'> {
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
}

/** A key is a KiB; no Transmitter has a thousand. */
const largestJwks = 1024 * 1024

/**
 * Verifies SETs with the keys that the metadata names. Metadata whose keys cannot be had is read
 * again; a SET that is not the Transmitter's has nobody asked for anything.
 */
export function verifySetOf(metadata: KnownMetadata, options: VerifyWithMetadata): VerifySet {
  const fetch = boundedFetch(options.fetch, {
    who: 'the Transmitter',
    timeoutMs: 5_000,
    largestBytes: largestJwks,
    clock: options.clock,
  })
  let known: { readonly url: string; readonly find: FindKey } | undefined
  const keysOf = (url: string): FindKey => {
    if (known?.url !== url) known = { url, find: remoteKeys(url, fetch, options.clock) }
    return known.find
  }
  const keys: FindKey = async (header, set, judge) => {
    if (!metadata.isAtHand) judge()
    const { jwks_uri } = await metadata.read()
    try {
      return await keysOf(jwks_uri)(header, set, judge)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_PEER_UNREACHABLE') metadata.doubt()
      throw error
    }
  }
  return createVerifySet({ ...options, keys })
}
