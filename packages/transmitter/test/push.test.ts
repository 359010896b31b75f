import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { memoryStore, type Transmitter, type TransmitterOptions } from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import {
  call,
  claimsOf,
  countEvents,
  createStream,
  issuer,
  makeTransmitter,
  nextEvent,
  pushEndpoint,
  pushTo,
  serve,
  subOf,
  temporaryFile,
  user,
  type Endpoint,
} from './support.ts'

let transmitter: Transmitter
let endpoint: Endpoint
const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
  transmitter = makeTransmitter(options)
  await transmitter.start()
}
const listen = async (...respond: Parameters<typeof pushEndpoint>): Promise<string> => {
  await endpoint.close()
  endpoint = await pushEndpoint(...respond)
  return createStream(transmitter, pushTo(endpoint.url))
}
const revoke = (sub: string, event_timestamp = 1): ReturnType<Transmitter['transmit']> =>
  transmitter.transmit(SessionRevoked, user(sub), { event_timestamp })
const stampOf = (set: string): unknown => Object.values(claimsOf(set).events)
const statusOf = async (id: string): Promise<unknown> =>
  (await call(transmitter, `GET /status?stream_id=${id}`)).json()

beforeEach(async () => {
  endpoint = await pushEndpoint()
  await start()
})
afterEach(async () => {
  await endpoint.close()
  await transmitter.stop()
})

describe('push to an address that is not public', () => {
  it.each([
    ['an address', 'https://127.0.0.1:1/push'],
    ['a metadata service', 'https://169.254.169.254/push'],
    ['an address that wraps one', 'https://[::ffff:7f00:1]:1/push'],
    ['a name for this machine', 'https://localhost:1/push'],
  ])('connects to nobody: %s', async (_, url) => {
    await transmitter.stop()
    await start({ allowInsecureHttp: false })
    await createStream(transmitter, pushTo(url))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    expect(await failed).toMatchObject({ reason: 'no answer: ERR_ADDRESS_NOT_ALLOWED' })
  })
  it('connects where the host is allowed by name', async () => {
    await transmitter.stop()
    const push = { allowedHosts: ['localhost'] }
    await start({ allowInsecureHttp: false, push })
    await createStream(transmitter, pushTo('https://localhost:1/push'))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    expect(await failed).toMatchObject({ reason: expect.stringMatching(/ECONNREFUSED/) })
  })
})

describe('push', () => {
  it('PUSH-2.1-1, PUSH-2.1-2, PUSH-2.1-3, PUSH-2.1-4: posts the SET itself', async () => {
    const id = await listen()
    const delivered = nextEvent(transmitter, 'set:delivered')
    const { txn, deliveries } = await revoke('alice')
    expect(deliveries).toEqual([{ stream_id: id, jti: expect.any(String) }])
    expect(await delivered).toMatchObject({ at: expect.any(Number), ...deliveries[0] })
    const [one] = endpoint.received
    expect(one).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
    })
    expect(one?.headers).not.toHaveProperty('authorization')
    expect(claimsOf(one?.set ?? '')).toEqual({
      iss: issuer,
      iat: expect.any(Number),
      jti: deliveries[0]?.jti,
      aud: 'https://one.example',
      txn,
      sub_id: { format: 'complex', ...user('alice') },
      events: { [SessionRevoked.uri]: { event_timestamp: 1 } },
    })
  })

  it.each(['RS256', 'ES256'] as const)(
    'SSF-4.1.1-1 JOSE-7515.3.1-1: signs with %s, compact, verifiable by the JWK Set',
    async (algorithm) => {
      await transmitter.stop()
      await start({ algorithm })
      const served = await serve(transmitter)
      const { url } = served
      await listen()
      const delivered = nextEvent(transmitter, 'set:delivered')
      await revoke('alice')
      await delivered
      const keys = createRemoteJWKSet(new URL(`${url}/tenant/ssf/jwks`))
      const set = endpoint.received[0]?.set ?? ''
      expect(set).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
      const { payload, protectedHeader } = await jwtVerify(set, keys, {
        issuer,
        typ: 'secevent+jwt',
        audience: 'https://one.example',
      })
      expect(protectedHeader).toEqual({
        alg: algorithm,
        kid: expect.any(String),
        typ: 'secevent+jwt',
      })
      expect(payload).not.toHaveProperty('sub')
      expect(payload).not.toHaveProperty('exp')
      await served.close()
    },
  )

  it('SSF-6.1.1-5: sends the authorization header as it was given', async () => {
    await createStream(transmitter, pushTo(endpoint.url, 'Custom value=1'))
    const delivered = nextEvent(transmitter, 'set:delivered')
    await revoke('alice')
    await delivered
    expect(endpoint.received[0]?.headers.authorization).toBe('Custom value=1')
  })

  it('PUSH-2-6: repeats a failed delivery with the same claims', async () => {
    await listen((_, count) => ({ status: count < 3 ? 503 : 202 }))
    const failures: number[] = []
    transmitter.events.on('delivery:failed', ({ attempt }) => failures.push(attempt))
    const delivered = nextEvent(transmitter, 'set:delivered')
    await revoke('alice')
    await delivered
    expect(failures).toEqual([1, 2])
    const claims = endpoint.received.map(({ set }) => claimsOf(set))
    expect(claims).toEqual([claims[0], claims[0], claims[0]])
  })

  it('keeps the order of a lane over failures, and lets no other lane wait for it', async () => {
    const order: string[] = []
    let bobArrived = (): void => undefined
    const bob = new Promise<void>((resolve) => (bobArrived = resolve))
    await listen(async ({ set }, count) => {
      if (subOf(set) === 'bob') bobArrived()
      // Alice's first waits until bob's has come: it could not if bob's waited for it.
      else if (count === 1) {
        await bob
        return { status: 500 }
      }
      order.push(`${subOf(set)} ${JSON.stringify(stampOf(set))}`)
      return { status: 202 }
    })
    const done = countEvents(transmitter, 'set:delivered', 4)
    await Promise.all([revoke('alice', 1), revoke('alice', 2), revoke('alice', 3), revoke('bob')])
    await done
    expect(order.filter((text) => text.startsWith('alice'))).toEqual(
      [1, 2, 3].map((n) => `alice [{"event_timestamp":${n}}]`),
    )
  })

  it('has at most one SET of a lane and maxInFlight of a stream under way', async () => {
    await transmitter.stop()
    await start({ push: { maxInFlight: 4 } })
    let [now, most, mostOfLane] = [0, 0, 0]
    const lanes = new Map<string, number>()
    const count = (sub: string, step: number): number => {
      lanes.set(sub, (lanes.get(sub) ?? 0) + step)
      now += step
      return lanes.get(sub) ?? 0
    }
    await listen(async ({ set }) => {
      mostOfLane = Math.max(mostOfLane, count(subOf(set), 1))
      most = Math.max(most, now)
      await new Promise((resolve) => setImmediate(resolve))
      count(subOf(set), -1)
      return { status: 202 }
    })
    const done = countEvents(transmitter, 'set:delivered', 60)
    await Promise.all(Array.from({ length: 60 }, (_, n) => revoke(`user ${n % 12}`, n)))
    await done
    expect(mostOfLane).toBe(1)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  it('delivers more than fits into memory, in order', async () => {
    await listen()
    const total = 1500
    const done = countEvents(transmitter, 'set:delivered', total)
    await Promise.all(Array.from({ length: total }, (_, n) => revoke(`user ${n % 100}`, n)))
    await done
    const jtis = endpoint.received.map(({ set }) => claimsOf(set).jti)
    expect(new Set(jtis).size).toBe(total)
    const lane = endpoint.received.filter(({ set }) => subOf(set) === 'user 7')
    const ids = lane.map(({ set }) => claimsOf(set).jti)
    expect(ids).toEqual(ids.toSorted())
  })

  it('PUSH-4-1: puts a refused SET among the dead letters and goes on', async () => {
    const store = memoryStore()
    await transmitter.stop()
    await start({ store })
    const body = JSON.stringify({ err: 'invalid_request', description: 'no' })
    const id = await listen((_, count) => (count === 1 ? { status: 400, body } : { status: 202 }))
    const refused = nextEvent(transmitter, 'set:refused')
    const delivered = nextEvent(transmitter, 'set:delivered')
    const [first] = await Promise.all([revoke('alice', 1), revoke('alice', 2)])
    expect(await refused).toMatchObject({ jti: first.deliveries[0]?.jti })
    await delivered
    const { deadLetters } = await store.open(issuer)
    expect(await deadLetters(id, 0, 9)).toEqual([
      expect.objectContaining({ stream_id: id, reason: '400 invalid_request: no' }),
    ])
  })

  it('at fault, probes with one request at a time, stays enabled and says why', async () => {
    let isBroken = true
    let [now, most] = [0, 0]
    const id = await listen(async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setImmediate(resolve))
      now--
      return isBroken ? { status: 404, body: 'not here' } : { status: 202 }
    })
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('first')
    await failed
    most = 0
    const more = countEvents(transmitter, 'delivery:failed', 10)
    await Promise.all(Array.from({ length: 20 }, (_, n) => revoke(`user ${n}`)))
    await more
    expect(most).toBe(1)
    expect(await statusOf(id)).toEqual({
      stream_id: id,
      status: 'enabled',
      reason: 'push fails: 404',
    })
    const done = countEvents(transmitter, 'set:delivered', 21)
    isBroken = false
    await done
    expect(await statusOf(id)).toEqual({ stream_id: id, status: 'enabled' })
  })

  it('does not follow redirects', async () => {
    const other = await pushEndpoint()
    await listen(() => ({ status: 307, headers: { location: other.url } }))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    expect(await failed).toMatchObject({ reason: '307' })
    expect(other.received).toEqual([])
    await other.close()
  })

  it('PUSH-2-10: honours Retry-After for the whole stream', async () => {
    await listen(() => ({ status: 429, headers: { 'retry-after': '120' } }))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    expect(await failed).toMatchObject({ retryInMs: 120_000, reason: '429' })
    await revoke('bob')
    await call(transmitter, 'GET /streams')
    expect(endpoint.received).toHaveLength(1)
  })

  it('ends an attempt that hangs after timeoutMs and one that is not answered at once', async () => {
    await transmitter.stop()
    await start({ push: { timeoutMs: 50 } })
    await listen(() => 'hang')
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    expect(await failed).toMatchObject({ reason: 'no complete answer in time' })
    await createStream(transmitter, pushTo('http://127.0.0.1:1/'))
    const refused = nextEvent(transmitter, 'delivery:failed', ({ reason }) =>
      /REFUSED/.test(reason),
    )
    await revoke('bob')
    expect(await refused).toMatchObject({ reason: 'no answer: ECONNREFUSED' })
  })

  it('reads no more than 4 KiB of an answer', async () => {
    await listen(() => ({ status: 400, body: `${' '.repeat(5_000)}{"err":"invalid_request"}` }))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    expect(await failed).toMatchObject({ reason: '400' })
  })

  it('SSF-8.1.2.1-6: sends nothing while paused, all in order afterwards', async () => {
    const id = await listen()
    const to = (status: string): Promise<Response> =>
      call(transmitter, 'POST /status', { body: { stream_id: id, status } })
    await to('paused')
    await revoke('alice', 1)
    await revoke('alice', 2)
    expect(endpoint.received).toEqual([])
    const done = countEvents(transmitter, 'set:delivered', 2)
    await to('enabled')
    await done
    expect(endpoint.received.map(({ set }) => stampOf(set))).toEqual([
      [{ event_timestamp: 1 }],
      [{ event_timestamp: 2 }],
    ])
  })

  it('paused and enabled again during an attempt, sends nothing twice', async () => {
    let answer = (): void => undefined
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const id = await listen((_, count) => {
      if (count > 1) return { status: 202 }
      asked()
      return new Promise((respond) => (answer = () => respond({ status: 202 })))
    })
    await revoke('alice', 1)
    await isAsked
    for (const status of ['paused', 'enabled']) {
      await call(transmitter, 'POST /status', { body: { stream_id: id, status } })
    }
    const done = countEvents(transmitter, 'set:delivered', 2)
    await revoke('alice', 2)
    answer()
    await done
    expect(endpoint.received.map(({ set }) => stampOf(set))).toEqual([
      [{ event_timestamp: 1 }],
      [{ event_timestamp: 2 }],
    ])
  })

  it('ends with the stream: what waits is never sent', async () => {
    const id = await listen(() => ({ status: 500 }))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke('alice')
    await failed
    await call(transmitter, `DELETE /streams?stream_id=${id}`)
    await transmitter.stop()
    const count = endpoint.received.length
    await transmitter.start()
    expect(endpoint.received).toHaveLength(count)
  })

  it('delivers after a restart what was transmitted before, and nothing twice', async () => {
    const file = await temporaryFile()
    await transmitter.stop()
    await start({ store: sqliteStore(file) })
    let isUp = false
    await listen(() => ({ status: isUp ? 202 : 503 }))
    const failed = nextEvent(transmitter, 'delivery:failed')
    const before = await revoke('alice', 1)
    await revoke('alice', 2)
    await failed
    await transmitter.stop()
    isUp = true
    endpoint.received.length = 0
    transmitter = makeTransmitter({ store: sqliteStore(file) })
    const done = countEvents(transmitter, 'set:delivered', 2)
    await transmitter.start()
    await done
    expect(claimsOf(endpoint.received[0]?.set ?? '').jti).toBe(before.deliveries[0]?.jti)
    await transmitter.stop()
    await transmitter.start()
    const again = nextEvent(transmitter, 'set:delivered')
    await revoke('bob')
    await again
    expect(endpoint.received.map(({ set }) => subOf(set))).toEqual(['alice', 'alice', 'bob'])
  })

  it('stop breaks off an attempt that hangs, and keeps its SET', async () => {
    const store = memoryStore()
    await transmitter.stop()
    const drainMs = 2_000
    const sleep: Clock['sleep'] = (ms, signal) =>
      ms === drainMs ? Promise.resolve() : systemClock.sleep(ms, signal)
    await start({ store, clock: { now: Date.now, sleep } })
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const id = await listen(() => {
      asked()
      return 'hang'
    })
    await revoke('alice')
    await isAsked
    await transmitter.stop()
    const { readRows } = await store.open(issuer)
    expect(await readRows(id, { kind: 'event', after: 0, limit: 1 })).toHaveLength(1)
  })

  it('stop lets an attempt under way end', async () => {
    let answer = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      void listen(() => {
        resolve()
        return new Promise((respond) => (answer = () => respond({ status: 202 })))
      }).then(() => revoke('alice'))
    })
    await asked
    const delivered = nextEvent(transmitter, 'set:delivered')
    const stopped = transmitter.stop()
    answer()
    await Promise.all([delivered, stopped])
    await transmitter.stop()
  })
})
