import type { Clock } from '@drawbridge/core'
import { SharedSignalsError } from '@drawbridge/schema'
import { compactVerify, importJWK } from 'jose'
import { mintSet } from '../mint-set.ts'
import type { Signer } from './signer.ts'
import type { SigningKey } from './signing-key.ts'
import { publishedJwk } from './stored-keys.ts'

/** How long a signer has. */
const signMs = 5000

/**
 * Chooses the signer of each algorithm, the first of the list, and has it sign once, so that a
 * wrong pair of keys is told at the start and not by every Receiver.
 *
 * @throws SharedSignalsError `ERR_SIGNER`
 */
export async function openSigners(
  signers: readonly Signer[],
  clock: Clock,
): Promise<ReadonlyMap<string, SigningKey>> {
  const first = new Map<string, SigningKey>()
  for (const signer of signers) {
    if (first.has(signer.alg)) continue
    const key = bounded(signer, clock)
    first.set(signer.alg, key)
    // One after the other: the first failure is told, and none is left to fail unheard.
    await tryOnce(key, signer)
  }
  return first
}

async function tryOnce(key: SigningKey, { kid, alg, publicJwk }: Signer): Promise<void> {
  const token = await mintSet('{}', key)
  try {
    // As a Receiver would, with the key that Receivers are shown.
    await compactVerify(token, await importJWK(publishedJwk(kid, alg, publicJwk), alg))
  } catch (cause) {
    const why = 'its signature does not verify with "publicJwk"'
    throw signerError(`${why}: give the key that it signs with, and the form that JWS has`, cause)
  }
}

/** The signer with its time limited, and what it throws made an error of ours. */
function bounded({ kid, alg, sign }: Signer, clock: Clock): SigningKey {
  return {
    kid,
    alg,
    isOutside: true,
    sign: async (data) => {
      const done = new AbortController()
      const late = clock.sleep(signMs, done.signal).then(() => 'late' as const)
      try {
        const signature = await Promise.race([signOf(sign, data), late])
        if (signature === 'late') throw signerError('it has not signed within five seconds')
        return signature
      } finally {
        done.abort()
      }
    },
  }
}

async function signOf(sign: Signer['sign'], data: Uint8Array): Promise<Uint8Array> {
  try {
    return await sign(data)
  } catch (cause) {
    throw signerError('it has failed', cause)
  }
}

const signerError = (what: string, cause?: unknown): SharedSignalsError =>
  new SharedSignalsError('ERR_SIGNER', `a signer of "signers" cannot be used: ${what}`, { cause })
