import { describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet } from 'jose'
import { memoryStore, type IssuerStore, type StoredKey, type Transmitter } from '../src/index.ts'
import { follow, publishedOf, ringAt, rotationDueAt } from '../src/keys/ring.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { manualClock, type ManualClock } from '@drawbridge/testkit'

import {
  call,
  createStream,
  issuer,
  makeTransmitter,
  nextEvent,
  poll,
  temporaryFile,
  user,
} from './support.ts'

const dayMs = 86_400_000
/** How long a key is published before it signs, in the default. */
const aheadMs = 330_000

async function jwksOf(transmitter: Transmitter): Promise<Response> {
  return call(transmitter, `GET ${issuer}/ssf/jwks`, { token: null })
}

async function kidsOf(transmitter: Transmitter): Promise<(string | undefined)[]> {
  const { keys } = (await (await jwksOf(transmitter)).json()) as JSONWebKeySet
  return keys.map(({ kid }) => kid)
}

interface Verifier {
  /** When the JWK Set was fetched because of an unknown key, and not because of its age. */
  readonly refetched: readonly number[]
  verify(set: string): Promise<boolean>
}

/** Verifies as a Receiver does: its JWK Set is cached, and fetched once in 30 s for an unknown key. */
function createVerifier(transmitter: Transmitter, clock: ManualClock): Verifier {
  let cached: { jwks: JSONWebKeySet; until: number; at: number } | undefined
  const refetched: number[] = []
  const fetchKeys = async (): Promise<JSONWebKeySet> => {
    const answer = await jwksOf(transmitter)
    const maxAge = Number(/max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1])
    const jwks = (await answer.json()) as JSONWebKeySet
    cached = { jwks, at: clock.now(), until: clock.now() + maxAge * 1000 }
    return jwks
  }
  return {
    refetched,
    verify: async (set: string): Promise<boolean> => {
      let jwks = cached && cached.until > clock.now() ? cached.jwks : await fetchKeys()
      const { kid } = decodeProtectedHeader(set)
      const known = (): boolean => jwks.keys.some((key) => key.kid === kid)
      if (!known() && cached && clock.now() - cached.at >= 30_000) {
        refetched.push(clock.now())
        jwks = await fetchKeys()
      }
      return compactVerify(set, createLocalJWKSet(jwks)).then(
        () => true,
        () => false,
      )
    },
  }
}

async function deliver(transmitter: Transmitter, streamId: string): Promise<string> {
  await transmitter.transmit(SessionRevoked, user('ann'), {})
  const { sets } = await poll(transmitter, streamId)
  const [[jti, set] = ['', '']] = Object.entries(sets)
  await poll(transmitter, streamId, { ack: [jti], maxEvents: 0 })
  return set
}

describe('the ring', () => {
  const key = (kid: string, active_from: number, published_until?: number): StoredKey => ({
    kid,
    alg: 'ES256',
    public_jwk: '{}',
    sealed_private_jwk: '',
    active_from,
    ...(published_until === undefined ? {} : { published_until }),
  })
  const keys = [key('a', 0, 200), key('b', 100, 300), key('c', 200, 400), key('d', 300)]
  const rows: [number, object][] = [
    [100, { active: 'b', next: ['c', 'd'], retiring: ['a'], retired: [] }],
    [199, { active: 'b', next: ['c', 'd'], retiring: ['a'], retired: [] }],
    [200, { active: 'c', next: ['d'], retiring: ['b'], retired: ['a'] }],
    [300, { active: 'd', next: [], retiring: ['c'], retired: ['a', 'b'] }],
    // A clock that was turned back.
    [-1, { active: 'a', next: ['b', 'c', 'd'], retiring: [], retired: [] }],
  ]
  it.each(rows)('is a function of the keys and the time: at %s', (now, expected) => {
    const { active, next, retiring, retired } = ringAt(keys, now)
    const kids = (some: readonly StoredKey[]): string[] => some.map(({ kid }) => kid)
    expect({
      active: active?.kid,
      next: kids(next),
      retiring: kids(retiring),
      retired: kids(retired),
    }).toEqual(expected)
  })

  it('publishes what signs, what will, and what has lately', () => {
    expect(publishedOf(ringAt(keys, 200)).map(({ kid }) => kid)).toEqual(['c', 'd', 'b'])
    expect(publishedOf(ringAt([], 0))).toEqual([])
  })

  it('rotates so early that the next key is published ahead, and never has two next keys', () => {
    const plan = { aheadMs: 10, keepMs: 5, rotateAfterMs: 100 }
    expect(rotationDueAt([key('a', 1000)], plan)).toBe(1090)
    expect(rotationDueAt([key('a', 1000), key('b', 1100)], plan)).toBe(1190)
    expect(rotationDueAt([key('a', 1000)], { ...plan, rotateAfterMs: undefined })).toBeUndefined()
    expect(rotationDueAt([], plan)).toBeUndefined()
    expect(follow([key('a', 0, 7), key('b', 100)], key('c', 200), plan)).toEqual({
      keys: [key('b', 100, 205), key('c', 200)],
      dropped: [],
    })
  })
})

interface Running {
  readonly transmitter: Transmitter
  readonly clock: ManualClock
  readonly opened: IssuerStore
}

async function run(
  options: Parameters<typeof makeTransmitter>[0] = {},
): Promise<Running & { stop(): Promise<void> }> {
  const { store = memoryStore() } = options
  const clock = manualClock()
  const transmitter = makeTransmitter({ clock, store, ...options })
  const opened = await store.open(issuer)
  await transmitter.start()
  return {
    transmitter,
    clock,
    opened,
    stop: async () => {
      await transmitter.stop()
      await opened.close()
    },
  }
}

describe('rotation', () => {
  it('JOSE-7515.4.1.4-1, CIOP26-2.3.3-1: under load, every SET verifies, no fetch out of turn', async () => {
    const { transmitter, clock, stop } = await run({
      keys: { rotateAfterDays: 1, keepSeconds: 3600 },
    })
    const streamId = await createStream(transmitter)
    // They have cached the JWK Set at different times of its life.
    const verifiers = Array.from({ length: 5 }, () => createVerifier(transmitter, clock))
    const kids = new Set<string | undefined>()
    let verified = 0
    for (let round = 0; round < 400; round++) {
      const set = await deliver(transmitter, streamId)
      kids.add(decodeProtectedHeader(set).kid)
      const own = verifiers[round % verifiers.length]
      if (await own?.verify(set)) verified++
      // A prime, so that rounds fall on ever other moments of a rotation; finer around it.
      await clock.advance(round % 80 < 60 ? 97_000 : 4_027_000)
    }
    expect(verified).toBe(400)
    expect(kids.size).toBeGreaterThanOrEqual(4)
    expect(verifiers.flatMap(({ refetched }) => refetched)).toEqual([])
    await stop()
  })

  it('publishes the next key before it signs, and the old one for a while after', async () => {
    const { transmitter, clock, opened, stop } = await run()
    const streamId = await createStream(transmitter)
    const [old] = await kidsOf(transmitter)
    const told = nextEvent(transmitter, 'key:rotated')
    const at = clock.now()
    const [next] = await transmitter.rotateKeys()
    expect(next).toEqual({ kid: expect.any(String), alg: 'ES256', active_from: at + aheadMs })
    expect(await told).toEqual({ at, ...next })
    expect(await transmitter.rotateKeys({ algorithm: 'ES256' })).toEqual([next])
    expect(await kidsOf(transmitter)).toEqual([old, next?.kid])
    await clock.advance(aheadMs - 1)
    expect(decodeProtectedHeader(await deliver(transmitter, streamId)).kid).toBe(old)
    await clock.advance(1)
    expect(decodeProtectedHeader(await deliver(transmitter, streamId)).kid).toBe(next?.kid)
    await clock.jump(dayMs - 1)
    expect(await kidsOf(transmitter)).toEqual([next?.kid, old])
    await clock.advance(1)
    expect(await kidsOf(transmitter)).toEqual([next?.kid])
    await clock.advance(3_600_000)
    expect((await opened.readKeys()).map(({ kid }) => kid)).toEqual([next?.kid])
    await stop()
  })

  it('of a compromised key signs with a new one at once, and shows the others no more', async () => {
    const { transmitter, clock, opened, stop } = await run()
    const streamId = await createStream(transmitter)
    const receiver = createVerifier(transmitter, clock)
    expect(await receiver.verify(await deliver(transmitter, streamId))).toBe(true)
    await transmitter.rotateKeys()
    const before = await kidsOf(transmitter)
    const at = clock.now()
    const [key] = await transmitter.rotateKeys({ compromised: true })
    expect(key?.active_from).toBe(at)
    expect(before).not.toContain(key?.kid)
    expect(await kidsOf(transmitter)).toEqual([key?.kid])
    expect((await opened.readKeys()).map(({ kid }) => kid)).toEqual([key?.kid])
    const set = await deliver(transmitter, streamId)
    expect(await receiver.verify(set)).toBe(false)
    await clock.advance(30_000)
    expect(await receiver.verify(set)).toBe(true)
    expect(receiver.refetched).toHaveLength(1)
    await stop()
  })

  it('goes on where it was when the process is started again', async () => {
    const store = sqliteStore(await temporaryFile())
    const { transmitter, clock, stop } = await run({ store })
    const streamId = await createStream(transmitter)
    const [old] = await kidsOf(transmitter)
    const [next] = await transmitter.rotateKeys()
    const phases: [number, string | undefined, (string | undefined)[]][] = [
      [0, old, [old, next?.kid]],
      [aheadMs, next?.kid, [next?.kid, old]],
      [dayMs, next?.kid, [next?.kid]],
    ]
    for (const [ms, signs, published] of phases) {
      await transmitter.stop()
      await clock.advance(ms)
      await transmitter.start()
      expect(await kidsOf(transmitter)).toEqual(published)
      expect(decodeProtectedHeader(await deliver(transmitter, streamId)).kid).toBe(signs)
    }
    await stop()
  })

  it('that became due while nobody was there is done at the start', async () => {
    const { transmitter, clock, stop } = await run({ keys: { rotateAfterDays: 30 } })
    await transmitter.stop()
    await clock.jump(40 * dayMs)
    const rotated = nextEvent(transmitter, 'key:rotated')
    await transmitter.start()
    expect(await rotated).toMatchObject({ active_from: clock.now() + aheadMs })
    await stop()
  })

  it('is refused for an algorithm that is none, and while nothing is started', async () => {
    const { transmitter, stop } = await run()
    await expect(transmitter.rotateKeys({ algorithm: 'HS256' as 'ES256' })).rejects.toMatchObject({
      name: 'OptionsError',
    })
    await stop()
    await expect(transmitter.rotateKeys()).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
  })
})
