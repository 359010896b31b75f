import { checkOptions, type Clock } from '@drawbridge/core'
import { StorageError } from '@drawbridge/schema'
import type { JWK } from 'jose'
import type { IssuerStore, StoredKey } from '../store/transmitter-store.ts'
import type { KeySettings } from './key-options.ts'
import { openSigners } from './outside-keys.ts'
import {
  follow,
  publishedOf,
  replaceAll,
  retireAll,
  ringAt,
  rotationDueAt,
  type RingChange,
  type RingPlan,
} from './ring.ts'
import type { Sealer } from './sealer.ts'
import type { Signer } from './signer.ts'
import { isSigningAlgorithm, type SigningAlgorithm } from './signing-algorithm.ts'
import type { SigningKey } from './signing-key.ts'
import { makeKey, openKey, publishedJwk } from './stored-keys.ts'

/** The keys of a Transmitter. */
export interface KeyRing {
  /** How long the JWK Set may be cached, in seconds. */
  readonly maxAgeSeconds: number
  /** The public JWK Set of now, with every key that a SET on its way may be signed with. */
  jwks(): { readonly keys: readonly JWK[] }
  /**
   * The key that signs now with an algorithm. Where there is none, it is made, and durable.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, `ERR_STORAGE_VERSION`
   */
  signerFor(algorithm: string): Promise<SigningKey>
  /**
   * Makes the next key of each algorithm, or of the one that is named.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` for an algorithm that is none, or a signer's
   */
  rotate(request?: RotationRequest): Promise<readonly RotatedKey[]>
  /**
   * Rotates what is due by the schedule, and drops the keys that are not published any more.
   *
   * @param now In milliseconds since 1970
   * @returns When to come again, in milliseconds since 1970
   */
  upkeep(now: number): Promise<number>
}

/** What `rotateKeys` does. */
export interface RotationRequest {
  /** Default: every algorithm that has a key in the store. */
  readonly algorithm?: SigningAlgorithm
  /** Whether the keys of now are not to be trusted any more. Default: false. */
  readonly compromised?: boolean
}

/** A key that will sign, or does. */
export interface RotatedKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  /** From when on it signs, in milliseconds since 1970. */
  readonly active_from: number
}

/** What a ring needs. */
export interface KeyRingContext {
  readonly store: IssuerStore
  readonly sealer: Sealer
  readonly clock: Clock
  /** What SETs are signed with by default. */
  readonly algorithm: SigningAlgorithm
  readonly keys: KeySettings
  readonly signers: readonly Signer[]
  /** Told of a key that was made to follow another, when it is durable. */
  readonly rotated: (key: RotatedKey) => void
}

/** A ring that is open. */
interface OpenRing extends KeyRingContext {
  readonly plan: RingPlan
  readonly outside: ReadonlyMap<string, SigningKey>
  /** What the store has, in the order of `active_from`. */
  stored: readonly StoredKey[]
  /** Private keys by `kid`. */
  readonly opened: Map<string, Promise<SigningKey>>
}

/** How long an answer with a JWK Set may be on its way: its age begins when it arrives. */
const onItsWayMs = 30_000
/** However little there is to do: what another process has written is read meanwhile. */
const longestRestMs = 3_600_000

/**
 * Opens the key ring that is in the store, and makes the first key when there is none. What became
 * due while nobody was there is done by the first `upkeep`.
 *
 * @throws StorageError `ERR_STORAGE_SECRET` when the store was made under another secret: nothing
 *   was changed
 * @throws SharedSignalsError `ERR_SIGNER` when a signer does not sign, or with another key
 */
export async function openKeyRing(context: KeyRingContext): Promise<KeyRing> {
  const { store, clock, signers, keys } = context
  const ring: OpenRing = {
    ...context,
    plan: planOf(keys),
    stored: await store.readKeys(),
    opened: new Map(),
    outside: await openSigners(signers, clock),
  }
  // Before anything is written: a wrong secret must not leave a new key beside the old ones.
  await Promise.all(ring.stored.map((key) => opened(ring, key)))
  let turn: Promise<unknown> = Promise.resolve()
  /** One change at a time: each is judged by what the one before has written. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }
  const opening: KeyRing = {
    maxAgeSeconds: keys.publishAheadSeconds,
    jwks: () => jwksOf(ring),
    signerFor: async (algorithm) =>
      (await signerFor(ring, algorithm)) ?? inTurn(() => firstKey(ring, algorithm)),
    rotate: (request = {}) => inTurn(() => rotate(ring, request)),
    upkeep: (now) => inTurn(() => upkeep(ring, now)),
  }
  await opening.signerFor(context.algorithm)
  return opening
}

function planOf({ rotateAfterDays, publishAheadSeconds, keepSeconds }: KeySettings): RingPlan {
  return {
    aheadMs: publishAheadSeconds * 1000 + onItsWayMs,
    keepMs: keepSeconds * 1000,
    rotateAfterMs: rotateAfterDays === undefined ? undefined : rotateAfterDays * 86_400_000,
  }
}

const keysOf = ({ stored }: OpenRing, algorithm: string): readonly StoredKey[] =>
  stored.filter(({ alg }) => alg === algorithm)

/** The algorithms that have keys in the store. */
const algorithmsOf = ({ stored }: OpenRing): readonly SigningAlgorithm[] =>
  [...new Set(stored.map(({ alg }) => alg))].filter(isSigningAlgorithm)

function jwksOf(ring: OpenRing): { readonly keys: readonly JWK[] } {
  const now = ring.clock.now()
  const inside = algorithmsOf(ring)
    .flatMap((algorithm) => publishedOf(ringAt(keysOf(ring, algorithm), now)))
    .map(({ kid, alg, public_jwk }) => publishedJwk(kid, alg, JSON.parse(public_jwk) as JWK))
  const outside = ring.signers.map(({ kid, alg, publicJwk }) => publishedJwk(kid, alg, publicJwk))
  return { keys: [...outside, ...inside] }
}

/** Undefined where a key has to be made first. */
async function signerFor(ring: OpenRing, algorithm: string): Promise<SigningKey | undefined> {
  const outside = ring.outside.get(algorithm)
  if (outside) return outside
  if (!isSigningAlgorithm(algorithm)) {
    throw new StorageError('ERR_STORAGE_VERSION', 'a stream has an "algorithm" of a newer release')
  }
  const { active } = ringAt(keysOf(ring, algorithm), ring.clock.now())
  return active && (await opened(ring, active))
}

/** Opens a key, the first time. */
function opened({ opened: keys, sealer }: OpenRing, key: StoredKey): Promise<SigningKey> {
  const known = keys.get(key.kid)
  if (known) return known
  const opening = openKey(key, sealer)
  keys.set(key.kid, opening)
  return opening
}

async function firstKey(ring: OpenRing, algorithm: string): Promise<SigningKey> {
  const alg = algorithm as SigningAlgorithm
  // Another call may have made it while this one waited for its turn.
  if (keysOf(ring, alg).length === 0) {
    const key = await makeKey(alg, ring.clock.now(), ring.sealer)
    await write(ring, { keys: [key], dropped: [] })
  }
  const key = await signerFor(ring, alg)
  if (!key) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the store lost its signing key')
  return key
}

async function write(ring: OpenRing, { keys, dropped }: RingChange): Promise<void> {
  if (keys.length > 0 || dropped.length > 0) await ring.store.writeKeys(keys, dropped)
  await read(ring)
}

async function read(ring: OpenRing): Promise<void> {
  ring.stored = await ring.store.readKeys()
  const kids = new Set(ring.stored.map(({ kid }) => kid))
  for (const kid of ring.opened.keys()) if (!kids.has(kid)) ring.opened.delete(kid)
}

async function rotate(
  ring: OpenRing,
  { algorithm, compromised = false }: RotationRequest,
): Promise<readonly RotatedKey[]> {
  checkRotation(ring, algorithm)
  await read(ring)
  const algorithms = algorithm ? [algorithm] : algorithmsOf(ring)
  const rotated: RotatedKey[] = []
  for (const alg of algorithms.filter((one) => !ring.outside.has(one))) {
    rotated.push(await (compromised ? replace(ring, alg) : succeed(ring, alg)))
  }
  return rotated
}

function checkRotation({ outside }: OpenRing, algorithm: string | undefined): void {
  const checks = checkOptions('rotateKeys')
  checks.check(
    algorithm === undefined || (isSigningAlgorithm(algorithm) && !outside.has(algorithm)),
    '"algorithm" must be one whose keys are in the store: those of "signers" are rotated there',
  )
  checks.done()
}

/** Lets a next key follow, if none waits already. */
async function succeed(ring: OpenRing, alg: SigningAlgorithm): Promise<RotatedKey> {
  const { clock, sealer, plan } = ring
  const keys = keysOf(ring, alg)
  const [waiting] = ringAt(keys, clock.now()).next
  if (waiting) return rotatedOf(waiting, alg)
  const made = await makeKey(alg, 0, sealer)
  // The time is taken once it is made: for a moment, an RSA key is nothing one could publish.
  const next = { ...made, active_from: clock.now() + (keys.length > 0 ? plan.aheadMs : 0) }
  await write(ring, follow(keys, next, plan))
  return told(ring, rotatedOf(next, alg))
}

async function replace(ring: OpenRing, alg: SigningAlgorithm): Promise<RotatedKey> {
  const successor = await makeKey(alg, ring.clock.now(), ring.sealer)
  await write(ring, replaceAll(keysOf(ring, alg), successor))
  return told(ring, rotatedOf(successor, alg))
}

const rotatedOf = ({ kid, active_from }: StoredKey, alg: SigningAlgorithm): RotatedKey => ({
  kid,
  alg,
  active_from,
})

function told({ rotated }: OpenRing, key: RotatedKey): RotatedKey {
  rotated(key)
  return key
}

async function upkeep(ring: OpenRing, now: number): Promise<number> {
  await read(ring)
  for (const algorithm of algorithmsOf(ring)) {
    const due = dueOf(ring, algorithm)
    if (due !== undefined && due <= now) await succeed(ring, algorithm)
  }
  await write(ring, endingsAt(ring, now))
  const times = [
    ...algorithmsOf(ring).map((algorithm) => dueOf(ring, algorithm) ?? Infinity),
    ...ring.stored.map(({ published_until: until }) => until ?? Infinity),
  ]
  return Math.min(now + longestRestMs, ...times.filter((time) => time > now))
}

const dueOf = (ring: OpenRing, algorithm: string): number | undefined =>
  ring.outside.has(algorithm) ? undefined : rotationDueAt(keysOf(ring, algorithm), ring.plan)

/** Drops what is not published any more, and lets keys retire where a signer signs instead. */
function endingsAt(ring: OpenRing, now: number): RingChange {
  const rings = algorithmsOf(ring).map((algorithm) => endingOf(ring, algorithm, now))
  return {
    keys: rings.flatMap(({ keys }) => keys),
    dropped: rings.flatMap(({ dropped }) => dropped),
  }
}

function endingOf(ring: OpenRing, algorithm: string, now: number): RingChange {
  const keys = keysOf(ring, algorithm)
  return ring.outside.has(algorithm)
    ? retireAll(keys, now, ring.plan)
    : { keys: [], dropped: ringAt(keys, now).retired.map(({ kid }) => kid) }
}
