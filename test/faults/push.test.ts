import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  accept,
  answerStatus,
  closeConnection,
  drip,
  garbage,
  hang,
  page,
  redirect,
  refuse,
  tooManyRequests,
  unavailable,
} from '@drawbridge/testkit'
import type { PushOptions } from '@drawbridge/transmitter'
import { numbersOf, startPushing, userOf, type Pushing } from '../support/pushing.ts'

const users = Array.from({ length: 8 }, (_, n) => `user-${n}`)
const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, n) => from + n)

let pushing: Pushing
const start = async (push: PushOptions = {}): Promise<void> => {
  pushing = await startPushing({ push: { timeoutMs: 1000, ...push } })
}
const startAgain = async (push: PushOptions): Promise<void> => {
  await pushing.stop()
  await start(push)
}
beforeEach(() => start())
afterEach(() => pushing.stop())

/** Transmits events about every user, in order. */
async function load(count: number, from = 0): Promise<void> {
  for (const n of numbers(count, from)) {
    await Promise.all(users.map((user) => pushing.transmit(user, n)))
  }
}

describe('a Receiver', () => {
  it('that is down for a while gets everything, in order, when it is back', async () => {
    await startAgain({ timeoutMs: 20_000, maxAttempts: 3, maxAgeSeconds: 1 })
    const { receiver, streamId } = await pushing.receiver()
    await load(5)
    await receiver.until(users.length * 5)
    await receiver.goDown()
    await load(5, 5)
    await receiver.comeBack()
    await receiver.until(users.length * 10)
    await pushing.drained(streamId)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual(numbers(10))
    expect(await pushing.store.deadLetters(streamId, 0, 9)).toEqual([])
  })

  it('that goes down amid load gets everything, and twice only with the same jti', async () => {
    await startAgain({ timeoutMs: 20_000, maxAttempts: 3, maxAgeSeconds: 1 })
    const { receiver, streamId } = await pushing.receiver()
    const loading = load(40)
    for (const mark of [20, 60, 140]) {
      await receiver.until(mark)
      await receiver.goDown()
      await receiver.comeBack()
    }
    await loading
    await pushing.drained(streamId)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual(numbers(40))
    expect(new Set(receiver.received.map(({ jti }) => jti)).size).toBe(users.length * 40)
  })

  it('PUSH-2-6: that answers 429 and 503 in storms gets everything, in order', async () => {
    const { receiver, streamId } = await pushing.receiver()
    let arrived = 0
    receiver.when(
      () => ++arrived % 3 > 0,
      (response) => (arrived % 2 ? tooManyRequests() : unavailable())(response),
    )
    await load(10)
    await pushing.drained(streamId)
    expect(receiver.received.length).toBeGreaterThan(users.length * 20)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual(numbers(10))
    expect(await pushing.store.deadLetters(streamId, 0, 9)).toEqual([])
  })

  it.each([
    ['hangs', hang],
    ['drips', drip(5)],
    ['closes the connection', closeConnection],
    ['answers garbage', garbage],
    ['answers 200 with a page', page],
    ['redirects', redirect('http://127.0.0.1:1/elsewhere')],
    ['answers 500', answerStatus(500)],
    ['answers 404', answerStatus(404)],
  ])('that %s for a while gets everything afterwards', async (_name, fault) => {
    const { receiver, streamId } = await pushing.receiver()
    receiver.next(fault, fault, fault, fault)
    await load(2)
    await pushing.drained(streamId)
    expect(receiver.received.length).toBeGreaterThanOrEqual(users.length * 2 + 4)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual([0, 1])
    expect(await pushing.store.deadLetters(streamId, 0, 9)).toEqual([])
  })

  it('that refuses one SET between good ones loses that one alone, with its reason', async () => {
    const { receiver, streamId } = await pushing.receiver()
    const isPoisoned = ({ claims }: { claims: object }): boolean =>
      JSON.stringify(claims).includes('"id":"2"') && JSON.stringify(claims).includes('user-3')
    receiver.when(isPoisoned, refuse('invalid_request', 'cannot be read'))
    await load(5)
    await pushing.drained(streamId)
    for (const user of users) {
      const wanted = user === 'user-3' ? [0, 1, 3, 4] : numbers(5)
      expect(numbersOf(receiver.accepted, user)).toEqual(wanted)
    }
    const letters = await pushing.store.deadLetters(streamId, 0, 9)
    expect(letters).toMatchObject([{ reason: expect.stringContaining('cannot be read') }])
  })

  it('that answers 500 to one principal only gets all others, and these when it is put right', async () => {
    const { receiver, streamId } = await pushing.receiver()
    const end = receiver.when((set) => userOf(set) === 'user-0', answerStatus(500))
    await load(20)
    await receiver.until((users.length - 1) * 20)
    expect(numbersOf(receiver.accepted, 'user-0')).toEqual([])
    end()
    await pushing.drained(streamId)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual(numbers(20))
    expect(await pushing.store.deadLetters(streamId, 0, 9)).toEqual([])
  })

  it.each([
    ['400 to everything', answerStatus(400)],
    ['400 invalid_request to everything', refuse('invalid_request')],
    ['403 to everything', answerStatus(403)],
  ])('whose broken deployment answers %s loses nothing', async (_name, fault) => {
    await startAgain({ maxAttempts: 3, maxAgeSeconds: 0 })
    const { receiver, streamId } = await pushing.receiver()
    receiver.answer(fault)
    await load(5)
    await receiver.until(({ received }) => received.length >= 12)
    expect(await pushing.store.backlog(streamId)).toMatchObject({
      rows: users.length * 5,
      dead_letters: 0,
    })
    receiver.answer(accept)
    await pushing.drained(streamId)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual(numbers(5))
    expect(await pushing.store.deadLetters(streamId, 0, 9)).toEqual([])
  })

  it('SSF-8.1.2.1-6, SSF-8.1.2.1-7, SSF-8.1.2.1-9: that pauses under load gets nothing until it resumes, then all in order', async () => {
    const { receiver, streamId } = await pushing.receiver()
    const { receiver: control } = await pushing.receiver()
    const setStatus = async (status: string): Promise<void> => {
      const answer = await pushing.call('POST', '/status', { stream_id: streamId, status })
      expect(answer.status).toBe(200)
    }
    let from = 0
    for (const [round, mark] of [40, 120, 200].entries()) {
      const loading = load(20, from)
      await receiver.until(mark)
      await setStatus('paused')
      await loading
      await load(5, from + 20)
      from += 25
      await control.until(users.length * from)
      // What was transmitted after the pause has reached everybody else.
      const late = users.flatMap((user) =>
        numbersOf(receiver.received, user).filter((n) => n >= from - 5),
      )
      expect(late).toEqual([])
      await setStatus('enabled')
      await receiver.until(users.length * 25 * (round + 1))
    }
    await pushing.drained(streamId)
    for (const user of users) expect(numbersOf(receiver.accepted, user)).toEqual(numbers(from))
  })
})
