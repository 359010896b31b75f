import { afterEach, describe, expect, it } from '@jest/globals'
import { complex, issSub, opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { memoryStore, type Transmitter, type TransmitterOptions } from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { manualClock, type ManualClock } from '@drawbridge/testkit'

import {
  call,
  claimsOf,
  createStream,
  makeTransmitter,
  poll,
  pushEndpoint,
  pushTo,
  nextEvent,
  subOf,
  temporaryFile,
  user,
  type Claims,
} from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const hourMs = 3_600_000

async function started(
  options: Partial<TransmitterOptions> = {},
): Promise<{ readonly transmitter: Transmitter; readonly clock: ManualClock }> {
  const clock = manualClock()
  const transmitter = makeTransmitter({
    clock,
    retention: { deliveredSeconds: 86_400 },
    ...options,
  })
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return { transmitter, clock }
}

/** Takes what waits, and acknowledges it. */
async function take(transmitter: Transmitter, id: string): Promise<Claims[]> {
  const { sets } = await poll(transmitter, id)
  await poll(transmitter, id, { ack: Object.keys(sets), maxEvents: 0 })
  return Object.values(sets).map(claimsOf)
}

const subs = (claims: readonly Claims[]): unknown[] => claims.map(({ sub_id }) => sub_id.user?.sub)

describe.each([
  ['memoryStore', async () => ({ store: memoryStore() })],
  ['sqliteStore', async () => ({ store: sqliteStore(await temporaryFile()) })],
])('replay with %s', (_, options) => {
  it('sends the same SETs once more, in the order in which they were recorded', async () => {
    const { transmitter, clock } = await started(await options())
    const id = await createStream(transmitter)
    for (const sub of ['alice', 'bob', 'alice']) {
      await transmitter.transmit(SessionRevoked, user(sub), {})
      await clock.advance(1000)
    }
    const first = await take(transmitter, id)
    const second = await take(transmitter, id)
    const before = [...first, ...second]
    expect(subs(before)).toEqual(['alice', 'bob', 'alice'])
    const { count, isComplete } = await transmitter.replay(id, { from: clock.now() - hourMs })
    expect({ count, isComplete }).toEqual({ count: 3, isComplete: true })
    expect([...(await take(transmitter, id)), ...(await take(transmitter, id))]).toEqual(before)
  })

  it('does so as often as it is asked, and once for each', async () => {
    const { transmitter, clock } = await started(await options())
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const [before] = await take(transmitter, id)
    await clock.advance(hourMs)
    const window = { from: clock.now() - 2 * hourMs, to: clock.now() - hourMs / 2 }
    for (const asked of [window, window, { from: window.from }]) {
      expect((await transmitter.replay(id, asked)).count).toBe(1)
      expect(await take(transmitter, id)).toEqual([before])
    }
  })
})

describe('replay', () => {
  it('makes news of it where it is asked to: another jti and iat, under the same txn', async () => {
    const { transmitter, clock } = await started()
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('alice'), { event_timestamp: 1_600_000_000 })
    const [before] = await take(transmitter, id)
    await clock.advance(hourMs)
    expect((await transmitter.replay(id, { from: 0, as: 'new' })).count).toBe(1)
    const [after] = await take(transmitter, id)
    const iat = Math.floor(clock.now() / 1000)
    expect(after).toEqual({ ...before, jti: after?.jti, iat })
    expect(after?.jti).not.toBe(before?.jti)
  })

  it('takes what was recorded in a time, and about a subject', async () => {
    const { transmitter, clock } = await started()
    const id = await createStream(transmitter)
    for (const sub of ['alice', 'bob', 'alice', 'alice']) {
      await transmitter.transmit(SessionRevoked, user(sub), {})
      await take(transmitter, id)
      await clock.advance(hourMs)
    }
    const began = clock.now() - 4 * hourMs
    const alice = issSub('https://idp.example', 'alice')
    for (const [asked, count] of [
      [{ from: began }, 4],
      [{ from: began + 1 }, 3],
      [{ from: began, to: began + hourMs }, 1],
      [{ from: began, subject: alice }, 3],
      [{ from: began, to: began + 3 * hourMs, subject: alice }, 2],
      [{ from: began, subject: complex({ user: alice, session: opaque('another') }) }, 0],
      [{ from: began, subject: { user: alice, session: opaque('session of alice') } }, 3],
    ] as const) {
      expect((await transmitter.replay(id, asked)).count).toBe(count)
    }
  })

  it('leaves verifications and news of the stream out', async () => {
    const { transmitter } = await started()
    const id = await createStream(transmitter)
    await call(transmitter, 'POST /verify', { body: { stream_id: id, state: 'once' } })
    await transmitter.streams.updateStatus(id, { status: 'paused' })
    await transmitter.streams.updateStatus(id, { status: 'enabled' })
    expect(await take(transmitter, id)).toHaveLength(2)
    expect((await transmitter.replay(id, { from: 0, as: 'new' })).count).toBe(0)
  })

  it('says when the time that is asked for is not all there', async () => {
    const { transmitter, clock } = await started({ retention: { deliveredSeconds: 3600 } })
    const id = await createStream(transmitter)
    const keptSince = clock.now() - hourMs
    for (const [from, isComplete] of [
      [keptSince, true],
      [keptSince - 1, false],
    ] as const) {
      expect(await transmitter.replay(id, { from })).toEqual({ count: 0, keptSince, isComplete })
    }
  })

  it('wakes the delivery, and looks again whether the Receiver may learn of it', async () => {
    let mayLearn = true
    const { url, received, close } = await pushEndpoint()
    ends.push(close)
    const { transmitter, clock } = await started({ permitEvent: () => mayLearn })
    const id = await createStream(transmitter, pushTo(url))
    const delivered = nextEvent(transmitter, 'set:delivered')
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await delivered
    // It is taken off, and kept, a moment later: many in one commit.
    await clock.advance(1000)
    const again = nextEvent(transmitter, 'set:delivered')
    expect((await transmitter.replay(id, { from: 0 })).count).toBe(1)
    await again
    await clock.advance(1000)
    expect(received.map(({ set }) => subOf(set))).toEqual(['alice', 'alice'])
    expect(received[1]?.set).not.toBe('')
    mayLearn = false
    const withheld = nextEvent(transmitter, 'set:withheld')
    await transmitter.replay(id, { from: 0 })
    await withheld
    expect(received).toHaveLength(2)
  })

  it('is refused on a disabled stream, and with times that are none', async () => {
    const { transmitter } = await started()
    const id = await createStream(transmitter)
    const wrong = { from: Number.NaN, to: 1, as: 'old' as 'new' }
    await expect(transmitter.replay(id, wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      mistakes: [
        '"from" must be a time in milliseconds since 1970',
        '"to" must be a time after "from"',
        '"as" must be "same" or "new"',
      ],
    })
    await transmitter.streams.updateStatus(id, { status: 'disabled' })
    await expect(transmitter.replay(id, { from: 0 })).rejects.toMatchObject({
      code: 'ERR_STREAM_CONFLICT',
    })
  })
})
