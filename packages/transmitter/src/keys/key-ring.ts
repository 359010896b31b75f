import { StorageError } from '@drawbridge/schema'
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose'
import type { StoredKey, TransmitterStore } from '../store/transmitter-store.ts'
import type { Sealer } from './sealer.ts'

/** The signature algorithms a Transmitter can use. */
export type SigningAlgorithm = 'RS256' | 'ES256'

/** A key to sign with. */
export interface SigningKey {
  /** RFC 7638 thumbprint: what the JWK Set calls the key. */
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly privateKey: CryptoKey
}

/** The keys of a Transmitter. */
export interface KeyRing {
  /** The key that signs now. */
  readonly active: SigningKey
  /** The public JWK Set, with every key that a SET on its way may be signed with. */
  readonly jwks: { readonly keys: readonly JWK[] }
}

/**
 * Opens the key ring that is in the store; makes the first key of an algorithm when it is needed.
 *
 * @throws StorageError `ERR_STORAGE_SECRET` when the store was made under another secret
 */
export async function openKeyRing(
  store: TransmitterStore,
  sealer: Sealer,
  algorithm: SigningAlgorithm,
): Promise<KeyRing> {
  let keys = await store.readKeys()
  if (!keys.some(({ alg }) => alg === algorithm)) {
    // An old ring is opened first: a wrong secret must not leave a new key beside it.
    await Promise.all(keys.map((key) => openKey(key, sealer)))
    await store.addKey(await makeKey(algorithm, sealer))
    keys = await store.readKeys()
  }
  const newest = keys.findLast(({ alg }) => alg === algorithm)
  if (!newest) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the store lost its signing key')
  return {
    active: { kid: newest.kid, alg: algorithm, privateKey: await openKey(newest, sealer) },
    jwks: { keys: keys.map(publicJwk) },
  }
}

async function makeKey(alg: SigningAlgorithm, sealer: Sealer): Promise<StoredKey> {
  const options = { extractable: true, ...(alg === 'RS256' ? { modulusLength: 2048 } : {}) }
  const { publicKey, privateKey } = await generateKeyPair(alg, options)
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  const sealed = await sealer.seal(JSON.stringify(await exportJWK(privateKey)), kid)
  return { kid, alg, public_jwk: JSON.stringify(jwk), sealed_private_jwk: sealed }
}

async function openKey({ kid, alg, ...key }: StoredKey, sealer: Sealer): Promise<CryptoKey> {
  let text: string
  try {
    text = await sealer.open(key.sealed_private_jwk, kid)
  } catch (cause) {
    throw new StorageError(
      'ERR_STORAGE_SECRET',
      'the store was made under another "secret": start with the one it was made under',
      { cause },
    )
  }
  // A JWK of a key pair is never a symmetric key, the only thing jose gives as bytes.
  return (await importJWK(JSON.parse(text) as JWK, alg)) as CryptoKey
}

/** By name, so that a private member cannot slip through whatever the store holds. */
function publicJwk({ kid, alg, public_jwk }: StoredKey): JWK {
  const { kty, n, e, crv, x, y } = JSON.parse(public_jwk) as JWK
  const members = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }
  return { ...members, kid, alg, use: 'sig' } as JWK
}
