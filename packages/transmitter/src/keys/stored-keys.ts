import type { JsonWebKey } from 'node:crypto'
import { StorageError } from '@drawbridge/schema'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { StoredKey } from '../store/transmitter-store.ts'
import type { Sealer } from './sealer.ts'
import type { PublicJwk } from './signer.ts'
import { isSigningAlgorithm, type SigningAlgorithm } from './signing-algorithm.ts'
import { signWith, type SigningKey } from './signing-key.ts'

/**
 * Makes a key pair, the private part sealed. An RSA key has 2048 bits.
 *
 * @param active_from From when on it signs, in milliseconds since 1970
 */
export async function makeKey(
  alg: SigningAlgorithm,
  active_from: number,
  sealer: Sealer,
): Promise<StoredKey> {
  // Extractable, because it has to be stored.
  const { publicKey, privateKey } = await generateKeyPair(alg, {
    extractable: true,
    modulusLength: 2048,
  })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  const sealed_private_jwk = await sealer.seal(JSON.stringify(await exportJWK(privateKey)), kid)
  return { kid, alg, public_jwk: JSON.stringify(jwk), sealed_private_jwk, active_from }
}

/**
 * Opens the private part of a key, to sign with it.
 *
 * @throws StorageError `ERR_STORAGE_SECRET` when it was sealed under another secret
 */
export async function openKey(stored: StoredKey, sealer: Sealer): Promise<SigningKey> {
  let text: string
  try {
    text = await sealer.open(stored.sealed_private_jwk, stored.kid)
  } catch (cause) {
    throw new StorageError(
      'ERR_STORAGE_SECRET',
      'the store was made under another "secret": start with the one it was made under',
      { cause },
    )
  }
  const { kid, alg } = stored
  if (!isSigningAlgorithm(alg)) {
    throw new StorageError('ERR_STORAGE_VERSION', 'a key has an "alg" of a newer release')
  }
  return { kid, alg, sign: signWith(JSON.parse(text) as JsonWebKey, alg), isOutside: false }
}

/**
 * The JWK that is published, its members taken by name, so that a private one cannot slip through
 * whatever it is made from.
 *
 * @see RFC 7517, "JSON Web Key (JWK) Format"
 */
export function publishedJwk(kid: string, alg: string, jwk: PublicJwk): JWK {
  const { kty, n, e, crv, x, y } = jwk
  const members = { RSA: { kty, n, e }, EC: { kty, crv, x, y } }[kty ?? ''] ?? { kty, crv, x }
  return { ...members, kid, alg, use: 'sig' } as JWK
}
