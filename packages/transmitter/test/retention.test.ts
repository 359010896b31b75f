import { afterEach, describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { StreamUpdated } from '@drawbridge/schema/ssf'
import type { Transmitter, TransmitterEvents, TransmitterOptions } from '../src/index.ts'
import { manualClock } from '@drawbridge/testkit'

import {
  call,
  claimsOf,
  createStream,
  makeTransmitter,
  nextEvent,
  poll,
  pushEndpoint,
  pushTo,
  subOf,
  user,
} from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

type Dropped = Omit<TransmitterEvents['events:dropped'], 'at'>

async function started(
  options: Partial<TransmitterOptions> = {},
): Promise<{ readonly transmitter: Transmitter; readonly dropped: Dropped[] }> {
  const transmitter = makeTransmitter(options)
  const dropped: Dropped[] = []
  transmitter.events.on('events:dropped', ({ stream_id, count, because }) =>
    dropped.push({ stream_id, count, because }),
  )
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return { transmitter, dropped }
}

const daySeconds = 86_400
const dayMs = daySeconds * 1000

async function revoke(transmitter: Transmitter, ...subs: string[]): Promise<void> {
  for (const sub of subs) await transmitter.transmit(SessionRevoked, user(sub), {})
}

const waitingOn = async (transmitter: Transmitter, streamId: string): Promise<number> =>
  (await transmitter.streams.read(streamId)).waiting

describe('retention', () => {
  it('drops what has waited for two weeks, and counts it', async () => {
    const clock = manualClock()
    const { transmitter, dropped } = await started({ clock })
    const id = await createStream(transmitter)
    await revoke(transmitter, 'alice', 'bob')
    await clock.jump(dayMs)
    await revoke(transmitter, 'carol')
    await clock.jump(13 * dayMs - 60_000)
    expect(await waitingOn(transmitter, id)).toBe(3)
    await clock.advance(120_000)
    expect(dropped).toEqual([{ stream_id: id, count: 2, because: 'age' }])
    expect(Object.values((await poll(transmitter, id)).sets).map(subOf)).toEqual(['carol'])
  })

  it('drops the oldest of too many, and counts them', async () => {
    const clock = manualClock()
    const { transmitter, dropped } = await started({ clock, retention: { maxRows: 2 } })
    const id = await createStream(transmitter)
    const other = await createStream(transmitter, { events_requested: [] })
    await revoke(transmitter, 'alice', 'bob', 'carol')
    await clock.advance(60_000)
    expect(dropped).toEqual([{ stream_id: id, count: 1, because: 'rows' }])
    expect(Object.values((await poll(transmitter, id)).sets).map(subOf)).toEqual(['bob', 'carol'])
    expect(await waitingOn(transmitter, other)).toBe(0)
  })

  it('pauses a stream at fault when its limit is reached, not before, and tells its Receiver why', async () => {
    const clock = manualClock()
    let isBroken = true
    const { url, received, close } = await pushEndpoint(() => ({ status: isBroken ? 404 : 202 }))
    ends.push(close)
    const { transmitter, dropped } = await started({ clock, retention: { maxAgeSeconds: 1000 } })
    const id = await createStream(transmitter, pushTo(url))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await revoke(transmitter, 'alice')
    await failed
    await clock.advance(900_000)
    expect(await transmitter.streams.read(id)).toMatchObject({
      status: 'enabled',
      waiting: 1,
      delivery: { fault: expect.stringContaining('404') },
    })
    await clock.advance(200_000)
    expect(dropped).toEqual([{ stream_id: id, count: 1, because: 'age' }])
    const status = await call(transmitter, `GET /status?stream_id=${id}`)
    const expected = { stream_id: id, status: 'paused', reason: expect.stringContaining('404') }
    expect(await status.json()).toMatchObject(expected)
    // What comes now is held; the news that it stopped goes out as soon as somebody takes it.
    await revoke(transmitter, 'bob')
    isBroken = false
    const told = nextEvent(transmitter, 'set:delivered')
    await clock.advance(300_000)
    await told
    const { events } = claimsOf(received.at(-1)?.set ?? '')
    expect(events).toEqual({
      [StreamUpdated.uri]: { status: 'paused', reason: expect.stringContaining('404') },
    })
    // What was delivered is taken off in batches.
    await clock.advance(1000)
    expect(await waitingOn(transmitter, id)).toBe(1)
  })

  it('does not pause a stream that nobody polls', async () => {
    const clock = manualClock()
    const { transmitter, dropped } = await started({ clock, retention: { maxAgeSeconds: 1000 } })
    const id = await createStream(transmitter)
    await revoke(transmitter, 'alice')
    await clock.advance(1_100_000)
    expect(dropped).toHaveLength(1)
    expect((await transmitter.streams.read(id)).status).toBe('enabled')
  })

  it('keeps dead letters for thirty days', async () => {
    const clock = manualClock()
    const { transmitter } = await started({ clock })
    const id = await createStream(transmitter)
    await revoke(transmitter, 'alice')
    const [jti = ''] = Object.keys((await poll(transmitter, id)).sets)
    await poll(transmitter, id, { setErrs: { [jti]: { err: 'invalid_request' } } })
    await clock.jump(30 * dayMs - 60_000)
    expect(await transmitter.deadLetters.list(id)).toHaveLength(1)
    await clock.advance(120_000)
    expect(await transmitter.deadLetters.list(id)).toEqual([])
  })

  it('keeps nothing of what was delivered, unless it is told to, and then for so long', async () => {
    for (const deliveredSeconds of [undefined, 3600]) {
      const clock = manualClock()
      const retention = deliveredSeconds === undefined ? {} : { deliveredSeconds }
      const { transmitter } = await started({ clock, retention })
      const id = await createStream(transmitter)
      await revoke(transmitter, 'alice')
      const { sets } = await poll(transmitter, id)
      await poll(transmitter, id, { ack: Object.keys(sets) })
      await clock.advance(3_500_000)
      const kept = deliveredSeconds === undefined ? 0 : 1
      expect((await transmitter.replay(id, { from: 0 })).count).toBe(kept)
      await transmitter.streams.updateStatus(id, { status: 'disabled' })
      await transmitter.streams.updateStatus(id, { status: 'enabled' })
      await clock.advance(200_000)
      expect((await transmitter.replay(id, { from: 0 })).count).toBe(0)
    }
  })
})

describe('the grace period of a removed subject', () => {
  it('SSF-9.3-1: ends without anybody looking', async () => {
    const clock = manualClock()
    const { transmitter } = await started({ clock, subjects: { removalGraceSeconds: 600 } })
    const id = await createStream(transmitter)
    const body = { stream_id: id, subject: { format: 'opaque', id: 'alice' } }
    expect((await call(transmitter, 'POST /subjects:remove', { body })).status).toBe(204)
    const reaches = async (): Promise<boolean> => {
      const subject = { format: 'opaque' as const, id: 'alice' }
      return (await transmitter.transmit(SessionRevoked, subject, {})).deliveries.length > 0
    }
    await clock.advance(599_000)
    expect(await reaches()).toBe(true)
    await clock.advance(61_000)
    expect(await reaches()).toBe(false)
  })
})
