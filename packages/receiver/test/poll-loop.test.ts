import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import {
  createReceiver,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { opaque, type OtherSubject, type SecurityEvent } from '@drawbridge/schema'
import {
  answerStatus,
  closeConnection,
  createTestTransmitter,
  manualClock,
  garbage,
  page,
  redirect,
  tooManyRequests,
  unavailable,
  type PushAnswer,
  type TestRequest,
  type TestTransmitter,
} from '@drawbridge/testkit'
import { createSetsInHand } from '../src/delivery/sets-in-hand.ts'
import type { AcceptSet, Outcome } from '../src/handling/accept-set.ts'

let transmitter: TestTransmitter
let receiver: Receiver
const pollLine = 'POST /poll/stream-1'

beforeEach(async () => {
  transmitter = await createTestTransmitter({ audience: 'app' })
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

const make = (options: Partial<ReceiverOptions> = {}): Receiver => {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    allowInsecureHttp: true,
    random: () => 0,
    ...options,
  })
  return receiver
}

/** Something that a test waits for. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

const about = ({ subject }: SecurityEvent): string => (subject as OtherSubject & { id: string }).id
const acksOf = ({ body }: TestRequest): readonly string[] =>
  (body['ack'] as string[] | undefined) ?? []
const acked = (jti: string): Promise<TestRequest> =>
  transmitter.requested(pollLine, (request) => acksOf(request).includes(jti))
const offer = (jti: string, who = jti): Promise<unknown> =>
  transmitter.send({ claims: { jti }, subject: opaque(who) })
const withStatus =
  (status: number, body: unknown): PushAnswer =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(body))
const json = (body: unknown): PushAnswer => withStatus(200, body)

/** A clock whose waits take no time, but for the watch over the stream; they are noted. */
function quickClock(): { readonly clock: Clock; readonly waits: readonly number[] } {
  const waits: number[] = []
  let time = Date.now()
  const clock: Clock = {
    now: () => time,
    sleep: (ms, signal) => {
      if (ms > 300_000) return systemClock.sleep(ms, signal)
      waits.push(ms)
      time += ms
      return new Promise((resolve) => void setImmediate(resolve))
    },
  }
  return { clock, waits }
}

describe('how many events are handled at a time', () => {
  it.each([
    [16, {}],
    [3, { maxConcurrentHandlers: 3 }],
  ])('is %i, of a poll of 100 about 100 principals', async (most, options) => {
    let running = 0
    let peak = 0
    let handled = 0
    const all = gate()
    make(options).handle('*', async () => {
      peak = Math.max(peak, ++running)
      await new Promise((resolve) => void setImmediate(resolve))
      running--
      if (++handled === 100) all.open()
    })
    await receiver.start()
    const sets = Array.from({ length: 100 }, (_, index) =>
      transmitter.sign({ subject: opaque(`${index}`) }),
    )
    await Promise.all(sets.map((set) => transmitter.send(set)))
    await all.opened
    expect(peak).toBe(most)
  })

  it('leaves the order of events about one principal as it was', async () => {
    const seen: string[] = []
    const all = gate()
    make({ maxConcurrentHandlers: 2 }).handle('*', async (event) => {
      // Later ones would be done earlier.
      for (let turn = 10 - seen.length; turn > 0; turn--) await Promise.resolve()
      seen.push(event.jti)
      if (seen.length === 9) all.open()
    })
    const names = ['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3', 'b3', 'c3']
    await receiver.start()
    for (const jti of names) await offer(jti, jti.slice(0, 1))
    await all.opened
    const of = (who: string): string[] => seen.filter((jti) => jti.startsWith(who))
    expect(of('a').concat(of('b'), of('c'))).toEqual(names.toSorted())
  })

  it('POLL-2.3-5: with moreAvailable it polls again right away', async () => {
    // It stands still: whoever waited would wait for ever.
    const clock = manualClock(Date.now())
    const all = gate()
    let handled = 0
    make({ clock }).handle('*', () => {
      if (++handled === 5) all.open()
    })
    const sets = Array.from({ length: 5 }, (_, index) => {
      const jti = `more-${index}`
      const set = transmitter.sign({ claims: { jti }, subject: opaque(jti) })
      return json({ sets: { [jti]: set }, ...(index < 4 ? { moreAvailable: true } : {}) })
    })
    transmitter.next(pollLine, ...sets)
    await receiver.start()
    await all.opened
    expect(handled).toBe(5)
  })

  it('begins with the oldest event of a poll', async () => {
    const seen: string[] = []
    const all = gate()
    make().handle('*', ({ jti }) => {
      if (seen.push(jti) === 3) all.open()
    })
    const sign = (jti: string, iat: number): [string, string] => [
      jti,
      transmitter.sign({ claims: { jti, iat }, subject: opaque('alice') }),
    ]
    const sets = Object.fromEntries([
      sign('c', 1_700_000_003),
      sign('a', 1_700_000_001),
      sign('b', 1_700_000_002),
    ])
    await receiver.start()
    transmitter.next(pollLine, json({ sets }))
    await transmitter.send({ type: 'https://example.com/unknown' })
    await all.opened
    expect(seen.slice(-3)).toEqual(['a', 'b', 'c'])
  })

  it('names what is no such number', () => {
    expect(() => make({ maxConcurrentHandlers: 0 })).toThrow(
      '"maxConcurrentHandlers" must be an integer',
    )
  })
})

describe('a handler that does not come back', () => {
  it('keeps nobody waiting: others are acknowledged, and what is new is polled and handled', async () => {
    const { clock } = quickClock()
    const hanging = gate()
    const begun = gate()
    make({ clock }).handle('*', async (event) => {
      if (about(event) !== 'alice') return
      begun.open()
      await hanging.opened
    })
    await receiver.start()
    await offer('slow', 'alice')
    await begun.opened
    await offer('bob')
    const request = await acked('bob')
    expect(request.body).toMatchObject({ returnImmediately: true })
    await offer('carol')
    await acked('carol')
    expect(transmitter.requests.flatMap(acksOf)).not.toContain('slow')
    hanging.open()
    // Once, however often it came meanwhile.
    expect(acksOf(await acked('slow')).filter((jti) => jti === 'slow')).toHaveLength(1)
  })
})

describe('stop', () => {
  it('POLL-2.4.2-1: acknowledges what is being handled when that is done, and leaves the rest to come again', async () => {
    const begun = gate()
    const done = gate()
    const handled: string[] = []
    make({ maxConcurrentHandlers: 1, clock: quickClock().clock }).handle('*', async ({ jti }) => {
      handled.push(jti)
      begun.open()
      await done.opened
    })
    const sets = ['one', 'two', 'three'].map((jti, index) =>
      transmitter.sign({ claims: { jti, iat: 1_700_000_000 + index }, subject: opaque(jti) }),
    )
    await receiver.start()
    transmitter.next(
      pollLine,
      json({
        sets: Object.fromEntries(sets.map((set, index) => [['one', 'two', 'three'][index], set])),
      }),
    )
    await transmitter.send({ type: 'https://example.com/unknown', claims: { jti: 'wake' } })
    await begun.opened
    const stopping = receiver.stop()
    for (let turn = 0; turn < 50; turn++) {
      await new Promise((resolve) => void setImmediate(resolve))
    }
    done.open()
    await stopping
    const last = transmitter.requests.findLast(({ line }) => line === pollLine)
    expect(last?.body).toEqual({
      ack: expect.arrayContaining(['one']),
      maxEvents: 0,
      returnImmediately: true,
    })
    expect(handled).toEqual(['one'])
    expect(transmitter.requests.flatMap(acksOf)).not.toContain('two')
  })
})

describe('what a poll tells', () => {
  it('POLL-2.2-11 POLL-2.4.4-1: of one answer, what holds is in ack and what does not in setErrs', async () => {
    make()
    await receiver.start()
    const bad = transmitter.sign({ claims: { jti: 'bad', aud: 'other' } })
    const good = transmitter.sign({ claims: { jti: 'good' } })
    transmitter.next(pollLine, json({ sets: { bad, good, broken: 'x' } }))
    await offer('wake')
    const { body } = await acked('good')
    expect(body['ack']).not.toContain('bad')
    expect(body['setErrs']).toMatchObject({
      bad: { err: 'invalid_audience' },
      broken: { err: 'invalid_request' },
    })
  })

  it('is told once', async () => {
    make()
    await receiver.start()
    await offer('one')
    await acked('one')
    await offer('two')
    expect(acksOf(await acked('two'))).not.toContain('one')
  })

  it('is told again where the poll that told it was not answered', async () => {
    make({ clock: quickClock().clock })
    await receiver.start()
    await receiver.verified()
    await transmitter.requested(pollLine, ({ body }) => acksOf({ body } as TestRequest).length > 0)
    transmitter.next(pollLine, closeConnection, answerStatus(500))
    await offer('one')
    await transmitter.requested(pollLine, () => {
      const told = transmitter.requests.filter((request) => acksOf(request).includes('one'))
      return told.length === 3
    })
  })
})

describe('a peer that fails', () => {
  it.each<[string, PushAnswer]>([
    ['500', answerStatus(500)],
    ['503 with Retry-After', unavailable(1)],
    ['429', tooManyRequests()],
    ['401', answerStatus(401)],
    ['404', answerStatus(404)],
    ['a page', page],
    ['a redirect', redirect('http://127.0.0.1:1/')],
    ['a broken connection', closeConnection],
    ['no HTTP', garbage],
    ['204', answerStatus(204)],
    ['no sets', json({})],
    ['sets that are a list', json({ sets: [] })],
    ['null', json(null)],
    ['an error with SETs', withStatus(400, { sets: { one: 'x' } })],
  ])('POLL-2.5.1-3: by %s is asked again later, and loses nothing', async (_, answer) => {
    const { clock, waits } = quickClock()
    const handled = gate()
    make({ clock }).handle('*', () => handled.open())
    const failures: number[] = []
    receiver.events.on('peer:failed', ({ retryInMs }) => failures.push(retryInMs))
    await receiver.start()
    await receiver.verified()
    transmitter.next(pollLine, answer, answer, answer, answer)
    await offer('one')
    await handled.opened
    await acked('one')
    expect(failures.length).toBeGreaterThanOrEqual(2)
    expect(failures.every((ms) => ms >= 100 && waits.includes(ms))).toBe(true)
  })

  it.each<[string, PushAnswer]>([
    ['keeps no poll waiting', json({ sets: {} })],
    ['says there is more and gives nothing', json({ sets: {}, moreAvailable: true })],
  ])('POLL-2.1-1: in that it %s is asked once a second', async (_, answer) => {
    const { clock, waits } = quickClock()
    transmitter.always(pollLine, answer)
    make({ clock })
    await receiver.start()
    await transmitter.requested(
      pollLine,
      () => transmitter.requests.filter(({ line }) => line === pollLine).length > 10,
    )
    expect(waits.filter((ms) => ms === 1000).length).toBeGreaterThanOrEqual(9)
  })

  it('SET-2.2-5 POLL-2.4-3: in that it forgets what it is told is asked once a second, and nothing is handled twice', async () => {
    const { clock, waits } = quickClock()
    let calls = 0
    make({ clock }).handle('*', () => void calls++)
    const good = transmitter.sign({ claims: { jti: 'good' } })
    const bad = transmitter.sign({ claims: { jti: 'bad', aud: 'other' } })
    transmitter.always(pollLine, json({ sets: { good, bad } }))
    await receiver.start()
    const told = (request: TestRequest): boolean => acksOf(request).includes('good')
    await transmitter.requested(pollLine, () => transmitter.requests.filter(told).length > 10)
    expect([calls, waits.filter((ms) => ms === 1000).length >= 10]).toEqual([1, true])
  })
})

describe('the memory of SETs that failed', () => {
  it('is bounded: of more than a thousand the oldest is forgotten, and is begun with when it comes', async () => {
    const acceptSet: AcceptSet = {
      verify: () => Promise.resolve({ kind: 'unfinished' }),
      accept: () => Promise.resolve({ kind: 'unfinished' }),
    }
    const clock = { ...systemClock, now: () => 0 }
    const inHand = createSetsInHand({ acceptSet, clock, random: () => 0 })
    const sets = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`n${index}`, '']))
    expect(await inHand.begin(sets)).toBe(0)
    await inHand.settled()
    expect(await inHand.begin({ n1: '' })).toBe(100)
    expect(await inHand.begin({ n0: '' })).toBe(0)
  })

  it('keeps a SET that is finished from being verified again before that was told', async () => {
    let verified = 0
    const verify = (): Promise<Outcome> => {
      verified++
      return Promise.resolve({ kind: 'acknowledged' })
    }
    const acceptSet: AcceptSet = { verify, accept: verify }
    const inHand = createSetsInHand({ acceptSet, clock: systemClock, random: () => 0 })
    for (const _ of [1, 2]) {
      await inHand.begin({ one: '' })
      await inHand.settled()
    }
    expect([verified, inHand.report()]).toEqual([1, { ack: ['one'] }])
  })

  it('keeps a SET that is being handled from being verified again', async () => {
    let verified = 0
    const event = { jti: 'one', time: 0 } as SecurityEvent
    const acceptSet: AcceptSet = {
      verify: () => {
        verified++
        return Promise.resolve({ event, finish: () => new Promise(() => undefined) })
      },
      accept: () => Promise.resolve({ kind: 'unfinished' }),
    }
    const inHand = createSetsInHand({ acceptSet, clock: systemClock, random: () => 0 })
    expect(await inHand.begin({ one: '' })).toBe(0)
    expect(await inHand.begin({ one: '' })).toBe(Infinity)
    expect(verified).toBe(1)
  })
})
