import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Clock } from '@drawbridge/core'
import { push } from '@drawbridge/schema'
import { consequence, type Consequence, type Failure } from '../src/delivery/push-health.ts'
import type { OutboxEntry, TransmitterOptions } from '../src/index.ts'
import { manualClock } from '@drawbridge/testkit'
import { addStream, deliveryAtWork, rowOf, type DeliveryAtWork } from './delivery-support.ts'
import { pushEndpoint, type Endpoint, type PushAnswer } from './support.ts'

interface Sent {
  readonly jti: string
  readonly lane: string
}
const sentOf = (set: string): Sent => JSON.parse(set) as Sent
const ok: PushAnswer = { status: 202 }
const invalid: PushAnswer = { status: 400, body: '{"err":"invalid_request","description":"no"}' }

let work: DeliveryAtWork
let endpoint: Endpoint
let respond: (sent: Sent) => PushAnswer
const start = async (
  options: Partial<TransmitterOptions> = {},
  more: Parameters<typeof deliveryAtWork>[0] = {},
): Promise<void> => {
  work = await deliveryAtWork(more, options)
  const delivery = { method: push, endpoint_url: endpoint.url } as const
  work.delivery.update(await addStream(work.store, 'a', { delivery }))
}
const received = (): string[] => endpoint.received.map(({ set }) => sentOf(set).jti)
const rows = (lane: string, count: number, more: Partial<OutboxEntry> = {}): OutboxEntry[] =>
  Array.from({ length: count }, (_, n) => rowOf('a', `${lane} ${n}`, { lane, ...more }))
const buried = async (): Promise<string[]> =>
  (await work.store.deadLetters('a', 0, 9_999)).map(({ jti }) => jti)
const deliveredOf = (lane: string): string[] =>
  work.told
    .filter(({ name, jti }) => name === 'set:delivered' && jti.startsWith(`${lane} `))
    .map(({ jti }) => jti)
beforeEach(async () => {
  respond = () => ok
  endpoint = await pushEndpoint(({ set }) => respond(sentOf(set)))
})
afterEach(async () => {
  await work.delivery.stop()
  await endpoint.close()
})

describe('the consequence of a failure', () => {
  beforeEach(() => start())
  const flags = [false, true]
  const all = (['refused', 'retry', 'stream-at-fault'] as const).flatMap((outcome) =>
    flags.flatMap((isOwnFault) =>
      flags.flatMap((areSeveral) =>
        flags.map((isSpent): Failure => ({ outcome, isOwnFault, areSeveral, isSpent })),
      ),
    ),
  )
  const expected = ({ outcome, isOwnFault, areSeveral, isSpent }: Failure): Consequence => {
    if (isOwnFault && areSeveral) return 'wait'
    if (isOwnFault) return isSpent || outcome === 'refused' ? 'bury' : 'wait'
    if (areSeveral) return 'hold'
    return { refused: 'set-aside', retry: 'wait', 'stream-at-fault': 'hold' }[
      outcome
    ] as Consequence
  }
  it.each(all)('PUSH-4-1: of %j', (failure) => {
    expect(consequence(failure)).toBe(expected(failure))
  })
})

describe('a broken deployment', () => {
  it.each([
    ['invalid_request', invalid],
    ['413', { status: 413 }],
    ['500', { status: 500 }],
    ['a page', { status: 400, body: '<html>' }],
    ['403', { status: 403 }],
  ])('that answers %s to everything buries nothing, however long', async (_, answer) => {
    await start({ push: { maxAttempts: 2, maxAgeSeconds: 0 } })
    await work.append(...rows('first', 5), rowOf('a', 'good 0', { lane: 'good' }))
    await work.count('set:delivered', 6)
    respond = () => answer
    await work.append(...['one', 'two', 'three', 'four'].flatMap((lane) => rows(lane, 3)))
    await work.count('delivery:failed', 20)
    expect(await buried()).toEqual([])
    expect(work.delivery.healthOf('a')).toMatchObject({
      fault: expect.stringMatching(/^push fails: \d+/),
      faultSince: expect.any(Number),
      lastDeliveredAt: expect.any(Number),
    })
    respond = () => ok
    await work.count('set:delivered', 18)
    expect(deliveredOf('two')).toEqual(['two 0', 'two 1', 'two 2'])
    expect(work.delivery.faultOf('a')).toBeUndefined()
  })

  it('is told of also where one SET alone fails again and again', async () => {
    await start({ push: { maxAttempts: 2, maxAgeSeconds: 0 } })
    respond = () => ({ status: 503 })
    await work.append(...rows('alice', 2))
    await work.count('delivery:failed', 6)
    expect(work.delivery.faultOf('a')).toBe('push fails: 503')
    expect(await buried()).toEqual([])
  })

  it('that is put right gets at once what waited', async () => {
    const clock = manualClock()
    const backoff = { firstMs: 60_000, longestMs: 300_000 }
    await start({ push: { backoff } }, { clock })
    respond = () => ({ status: 503 })
    await work.append(...rows('one', 1), ...rows('two', 1))
    while (work.delivery.faultOf('a') === undefined) await clock.advance(10_000)
    respond = () => ok
    await work.append(...rows('three', 1))
    // The others wait for minutes; the clock stands.
    await work.count('set:delivered', 3)
  })
})

describe('a refused SET', () => {
  it('PUSH-4-1: is buried alone; those before and after it are delivered', async () => {
    await start()
    respond = ({ jti }) => (jti === 'bad' ? invalid : ok)
    const good = (from: number): OutboxEntry[] =>
      Array.from({ length: 5 }, (_, n) => rowOf('a', `good ${from + n}`, { lane: `${n}` }))
    await work.append(...good(0), rowOf('a', 'bad', { lane: '0' }), ...good(5))
    await work.count('set:delivered', 10)
    await work.count('set:refused', 1)
    expect(await buried()).toEqual(['bad'])
    expect(received().filter((jti) => jti === 'bad')).toHaveLength(1)
  })

  it('waits for a SET that gets through after it, not for one that was under way', async () => {
    const clock = manualClock()
    await start({}, { clock })
    respond = ({ jti }) => (jti === 'bad' ? invalid : ok)
    await work.append(rowOf('a', 'bad'))
    while (received().length < 1 || work.delivery.healthOf('a').inFlight > 0) {
      await clock.advance(0)
    }
    expect(await buried()).toEqual([])
    await work.append(rowOf('a', 'good'))
    await work.count('set:refused', 1)
    expect(await buried()).toEqual(['bad'])
  })
})

describe('a poisoned SET', () => {
  const poison = (answer: PushAnswer): void => {
    respond = ({ lane }) => (lane === 'poison' ? answer : ok)
  }
  const goodUntil = async (
    times: number,
    name: 'set:refused' | 'delivery:failed',
  ): Promise<void> => {
    const seen = (): number => work.told.filter(({ name: told }) => told === name).length
    for (let n = 0; seen() < times; n++) {
      const delivered = work.told.filter(({ name: told }) => told === 'set:delivered').length
      await work.append(rowOf('a', `good ${n}`))
      await work.count('set:delivered', delivered + 1)
    }
  }

  it.each([
    ['500', { status: 500 }, '500'],
    ['403', { status: 403 }, '403'],
    ['a page', { status: 200, body: 'hello' }, '200'],
    [
      'an issuer it does not know',
      { status: 400, body: '{"err":"invalid_issuer"}' },
      '400 invalid',
    ],
  ])(
    'that is answered %s is given up after maxAttempts while others get through',
    async (...row) => {
      const [, answer, reason] = row
      await start({ push: { maxAttempts: 4, maxAgeSeconds: 0 } })
      poison(answer)
      await work.append(...rows('poison', 2))
      await goodUntil(1, 'set:refused')
      const tries = received().filter((jti) => jti === 'poison 0').length
      expect(tries).toBeGreaterThanOrEqual(4)
      expect(await work.store.deadLetters('a', 0, 9)).toMatchObject([
        { jti: 'poison 0', reason: expect.stringContaining(reason) },
      ])
      // Its lane goes on.
      await goodUntil(2, 'set:refused')
      expect(await buried()).toEqual(['poison 0', 'poison 1'])
    },
  )

  it('is not given up before it is maxAgeSeconds old', async () => {
    await start(
      { push: { maxAttempts: 2, maxAgeSeconds: 3_600 } },
      { clock: systemPaced(() => 10_000_000) },
    )
    poison({ status: 500 })
    await work.append(...rows('poison', 1, { recorded_at: 10_000_000 - 3_600_000 + 1 }))
    await goodUntil(10, 'delivery:failed')
    expect(await buried()).toEqual([])
  })

  it('that is old enough is given up', async () => {
    await start(
      { push: { maxAttempts: 2, maxAgeSeconds: 3_600 } },
      { clock: systemPaced(() => 10_000_000) },
    )
    poison({ status: 500 })
    await work.append(...rows('poison', 1, { recorded_at: 10_000_000 - 3_600_000 }))
    await goodUntil(1, 'set:refused')
    expect(await buried()).toEqual(['poison 0'])
  })

  it('PUSH-2-10: asks nobody else to wait, whatever Retry-After it is answered with', async () => {
    const clock = manualClock()
    await start({}, { clock })
    poison({ status: 503 })
    await work.append(...rows('poison', 1))
    await work.count('delivery:failed', 1)
    await work.append(rowOf('a', 'good 1'))
    await work.count('set:delivered', 1)
    poison({ status: 503, headers: { 'retry-after': '999999' } })
    while (work.told.filter(({ name }) => name === 'delivery:failed').length < 2) {
      await clock.advance(10)
    }
    expect(work.told.at(-1)).toMatchObject({ jti: 'poison 0', retryInMs: 3_600_000 })
    await work.append(rowOf('a', 'good 2'))
    await work.count('set:delivered', 2)
  })

  it('holds the stream once, not again and again, where its verdict is about the stream', async () => {
    const clock = manualClock()
    const backoff = { firstMs: 10_000, longestMs: 10_000 }
    await start({ push: { backoff } }, { clock })
    poison({ status: 403 })
    await work.append(...rows('poison', 1))
    await work.count('delivery:failed', 1)
    await work.append(rowOf('a', 'good 1'))
    expect(received()).toEqual(['poison 0'])
    while (deliveredOf('good').length < 1) await clock.advance(1_000)
    while (work.told.filter(({ name }) => name === 'delivery:failed').length < 2) {
      await clock.advance(1_000)
    }
    expect(work.delivery.faultOf('a')).toBeUndefined()
    // The clock stands.
    await work.append(rowOf('a', 'good 2'))
    await work.count('set:delivered', 2)
  })
})

describe('a lane that always fails', () => {
  it('with 5,000 rows lets the others go on, and has its order when it is put right', async () => {
    await start()
    let isBroken = true
    respond = ({ lane }) => (isBroken && lane === 'poison' ? { status: 500 } : ok)
    const many = rows('poison', 5_000)
    await work.append(...many, ...rows('before', 50))
    await work.count('set:delivered', 50)
    for (let n = 0; n < 40; n++) await work.append(...rows(`after ${n}`, 5))
    await work.count('set:delivered', 250)
    isBroken = false
    await work.count('set:delivered', 5_250)
    expect(deliveredOf('poison')).toEqual(many.map(({ jti }) => jti))
    expect(deliveredOf('before')).toHaveLength(50)
    await work.delivery.stop()
    expect(await work.store.readRows('a', { kind: 'event', after: 0, limit: 1 })).toEqual([])
  })

  it('reads its rows a few times at most', async () => {
    let read = 0
    await start()
    const { readRows } = work.store
    Object.assign(work.store, {
      readRows: async (...wanted: Parameters<typeof readRows>) => {
        const found = await readRows(...wanted)
        read += found.length
        return found
      },
    })
    await work.append(...rows('one', 3_000), ...rows('two', 3_000))
    await work.count('set:delivered', 6_000)
    expect(deliveredOf('two')).toEqual(rows('two', 3_000).map(({ jti }) => jti))
    expect(read).toBeLessThan(4 * 6_000)
  })

  it('and more of them than fit into memory let the others go on', async () => {
    const backoff = { firstMs: 50, longestMs: 1_000 }
    await start({ push: { maxInFlight: 64, backoff } })
    respond = ({ jti }) => (jti.startsWith('poison') ? { status: 500 } : ok)
    // Every second is good, or the stream would be taken for broken.
    const mixed = Array.from({ length: 2_400 }, (_, n) =>
      rowOf('a', `${n % 2 ? 'poison' : 'good'} ${n}`),
    )
    await work.append(...mixed)
    await work.count('set:delivered', 1_200)
  })
})

describe('the second look', () => {
  it('SSF-9.2-3: takes a row off that may not leave any more, and its lane goes on', async () => {
    await start({}, { mayLeave: async (_, claims) => sentOf(claims).jti !== 'alice 1' })
    await work.append(...rows('alice', 3))
    await work.count('set:delivered', 2)
    expect(received()).toEqual(['alice 0', 'alice 2'])
    expect(work.told.filter(({ name }) => name === 'set:withheld')).toMatchObject([
      { stream_id: 'a', jti: 'alice 1' },
    ])
    await work.delivery.stop()
    expect(await work.store.readRows('a', { kind: 'event', after: 0, limit: 9 })).toEqual([])
    expect(await buried()).toEqual([])
  })

  it('that fails sends nothing, and is taken again', async () => {
    let isBroken = true
    const mayLeave = async (): Promise<boolean> => {
      if (isBroken) throw new Error('the directory is down')
      return true
    }
    await start({}, { mayLeave })
    await work.append(...rows('alice', 1))
    await work.count('delivery:failed', 3)
    expect(received()).toEqual([])
    isBroken = false
    await work.count('set:delivered', 1)
  })
})

/** Real timers under a time of the test's own. */
function systemPaced(now: () => number): Clock {
  return {
    now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}
