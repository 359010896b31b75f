import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { manualClock } from '@drawbridge/testkit'
import { memoryStore, type Transmitter, type TransmitterOptions } from '../src/index.ts'
import {
  call,
  claimsOf,
  createStream,
  issuer,
  makeTransmitter,
  nextEvent,
  poll,
  user,
} from './support.ts'

let transmitter: Transmitter
let id: string
const store = memoryStore()
let isHeld = (): void => undefined
/** Tells when a poll is held: nothing else sleeps so long here. */
const watchedClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => {
    if (ms > 10_000) isHeld()
    return systemClock.sleep(ms, signal)
  },
}
const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
  transmitter = makeTransmitter({ store, clock: watchedClock, ...options })
  await transmitter.start()
  id = await createStream(transmitter)
}
const send = async (sub = 'alice'): Promise<string> => {
  const { deliveries } = await transmitter.transmit(SessionRevoked, user(sub), {})
  return deliveries.find(({ stream_id }) => stream_id === id)?.jti ?? ''
}
const sendMany = async (count: number): Promise<string[]> => {
  const jtis: string[] = []
  for (let n = 0; n < count; n++) jtis.push(await send(`user ${n % 3}`))
  return jtis
}
const jtisOf = async (body: object = {}): Promise<string[]> =>
  Object.keys((await poll(transmitter, id, body)).sets)

/** Begins a long poll. Resolves when it is held, with the answer that is to come. */
const hold = async (signal?: AbortSignal): Promise<{ readonly answer: Promise<Response> }> => {
  const held = new Promise<void>((resolve) => (isHeld = resolve))
  const options = { body: {}, ...(signal ? { signal } : {}) }
  const answer = call(transmitter, `POST /poll/${id}`, options)
  await held
  return { answer }
}
const jsonOf = async (answer: Promise<Response>): Promise<{ sets: object }> =>
  (await (await answer).json()) as { sets: object }

beforeEach(() => start())
afterEach(() => transmitter.stop())

describe('poll', () => {
  it('POLL-2-2, POLL-2.2-7, POLL-2.3-1, POLL-2.3-2, POLL-2.3-6: answers {"sets":{}} when there is nothing, else SETs by jti', async () => {
    const empty = await call(transmitter, `POST /poll/${id}`, { body: { returnImmediately: true } })
    expect([empty.status, await empty.text()]).toEqual([200, '{"sets":{}}'])
    expect(empty.headers.get('content-type')).toBe('application/json')
    const jti = await send()
    const answer = await poll(transmitter, id)
    expect(Object.keys(answer)).toEqual(['sets'])
    expect(claimsOf(answer.sets[jti] ?? '').jti).toBe(jti)
  })

  it('POLL-2-1, POLL-2.2-3, POLL-2.2-4, POLL-2.3-4: offers the oldest first, up to maxEvents, and says there is more', async () => {
    const jtis = await sendMany(5)
    const first = await poll(transmitter, id, { maxEvents: 2 })
    expect([Object.keys(first.sets), first.moreAvailable]).toEqual([jtis.slice(0, 2), true])
    const second = await poll(transmitter, id, { maxEvents: 3 })
    expect([Object.keys(second.sets), second.moreAvailable]).toEqual([jtis.slice(2), undefined])
  })

  it('POLL-2.5-1: answers a poll that may wait at once when there is something', async () => {
    const jti = await send()
    expect(await jtisOf({ returnImmediately: false })).toEqual([jti])
  })

  it('takes setErrs in any language', async () => {
    const jti = await send()
    await poll(transmitter, id)
    const answer = await call(transmitter, `POST /poll/${id}`, {
      body: {
        maxEvents: 0,
        returnImmediately: true,
        setErrs: { [jti]: { err: 'invalid_request', description: 'nicht gut' } },
      },
      headers: { 'content-language': 'de-AT' },
    })
    expect([answer.status, await answer.text()]).toEqual([200, '{"sets":{}}'])
    const { deadLetters } = await store.open(issuer)
    expect(await deadLetters(id, 0, 9)).toMatchObject([{ jti }])
  })

  it('has a limit of its own where the poll has none, or a greater one', async () => {
    await transmitter.stop()
    await start({ poll: { maxEvents: 3 } })
    const jtis = await sendMany(5)
    expect(await jtisOf({ maxEvents: 99 })).toEqual(jtis.slice(0, 3))
    expect(await jtisOf()).toEqual(jtis.slice(3))
  })

  it('POLL-2.2-5: maxEvents 0 returns nothing, at once', async () => {
    await send()
    const answer = await poll(transmitter, id, { maxEvents: 0, returnImmediately: false })
    expect(answer).toEqual({ sets: {}, moreAvailable: true })
  })

  it('applies ack and setErrs before it selects', async () => {
    const [one = '', two = '', three = ''] = await sendMany(3)
    const delivered = nextEvent(transmitter, 'set:delivered')
    const refused = nextEvent(transmitter, 'set:refused')
    await poll(transmitter, id, { maxEvents: 2 })
    const answer = await poll(transmitter, id, {
      ack: [one, 'unknown'],
      setErrs: {
        [two]: { err: 'invalid_request', description: 'bad\u0000' },
        unknown: { err: 'x' },
      },
    })
    expect(Object.keys(answer.sets)).toEqual([three])
    expect(answer.moreAvailable).toBeUndefined()
    expect(await delivered).toMatchObject({ stream_id: id, jti: one })
    expect(await refused).toMatchObject({ jti: two, reason: 'invalid_request: bad ' })
    const { deadLetters } = await store.open(issuer)
    expect(await deadLetters(id, 0, 9)).toMatchObject([{ jti: two }])
  })

  it('POLL-2-3, POLL-2.2-10: forgets what was acknowledged, also after a restart', async () => {
    const [one, two] = await sendMany(2)
    await poll(transmitter, id, { maxEvents: 1 })
    await transmitter.stop()
    await transmitter.start()
    expect(await jtisOf({ ack: [one], maxEvents: 5 })).toEqual([two])
  })

  it('POLL-2.3-3, POLL-2.4-2: offers again after redeliveryMs what was not acknowledged, at its old place', async () => {
    await transmitter.stop()
    const clock = manualClock()
    await start({ clock, poll: { redeliveryMs: 1_000 } })
    const [one, two, three, four] = await sendMany(4)
    expect(await jtisOf({ maxEvents: 2 })).toEqual([one, two])
    await clock.advance(999)
    expect(await jtisOf({ maxEvents: 1, ack: [one] })).toEqual([three])
    await clock.advance(1)
    expect(await jtisOf({ maxEvents: 1 })).toEqual([two])
    expect(await jtisOf()).toEqual([four])
    await clock.advance(999)
    expect(await jtisOf()).toEqual([three])
  })

  it('gives concurrent polls different SETs', async () => {
    const jtis = await sendMany(6)
    const polls = await Promise.all([1, 2, 3].map(() => jtisOf({ maxEvents: 2 })))
    expect(polls.flat().toSorted()).toEqual(jtis.toSorted())
  })

  it('POLL-2.5-2: holds a poll until a SET arrives', async () => {
    const { answer } = await hold()
    const jti = await send()
    expect(Object.keys((await jsonOf(answer)).sets)).toEqual([jti])
  })

  it('POLL-2.2-8, POLL-2.5-3: answers a held poll after longPollMs without SETs', async () => {
    await transmitter.stop()
    await start({ poll: { longPollMs: 20 } })
    expect(await poll(transmitter, id, { returnImmediately: false })).toEqual({ sets: {} })
  })

  it('wakes a held poll when its stream is enabled, deleted, or the Transmitter stops', async () => {
    const to = (status: string): Promise<Response> =>
      call(transmitter, 'POST /status', { body: { stream_id: id, status } })
    await to('paused')
    const jti = await send()
    const paused = await hold()
    await to('enabled')
    expect(Object.keys((await jsonOf(paused.answer)).sets)).toEqual([jti])
    id = await createStream(transmitter)
    const deleted = await hold()
    await call(transmitter, `DELETE /streams?stream_id=${id}`)
    expect(await jsonOf(deleted.answer)).toEqual({ sets: {} })
    id = await createStream(transmitter)
    const last = await hold()
    await transmitter.stop()
    expect(await jsonOf(last.answer)).toEqual({ sets: {} })
  })

  it('ends a held poll whose Receiver has gone, and offers its SETs to the next', async () => {
    const gone = new AbortController()
    const { answer } = await hold(gone.signal)
    gone.abort()
    expect(await jsonOf(answer)).toEqual({ sets: {} })
    const jti = await send()
    await call(transmitter, `POST /poll/${id}`, { body: {}, signal: AbortSignal.abort() })
    expect(await jtisOf()).toEqual([jti])
  })

  it('processes acknowledgements of a paused stream and offers nothing', async () => {
    const [one, two] = await sendMany(2)
    await poll(transmitter, id, { maxEvents: 1 })
    await call(transmitter, 'POST /status', { body: { stream_id: id, status: 'paused' } })
    expect(await poll(transmitter, id, { ack: [one] })).toEqual({ sets: {} })
    await call(transmitter, 'POST /status', { body: { stream_id: id, status: 'enabled' } })
    expect(await jtisOf()).toEqual([two])
  })

  it.each([{ maxEvents: -1 }, { ack: 'x' }, { setErrs: [] }, { returnImmediately: 1 }])(
    'POLL-2.5.1-2: answers %j with 400',
    async (body) => {
      expect((await call(transmitter, `POST /poll/${id}`, { body })).status).toBe(400)
    },
  )

  it('polls no push stream', async () => {
    const pushId = await createStream(transmitter, {
      delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'http://127.0.0.1:1/' },
    })
    expect((await call(transmitter, `POST /poll/${pushId}`, { body: {} })).status).toBe(404)
  })
})
