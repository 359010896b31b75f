import { afterEach, describe, expect, it } from '@jest/globals'
import { opaque, poll as pollMethod } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { memoryStore, type Transmitter, type TransmitterOptions } from '../src/index.ts'
import { turnAfter } from '../src/upkeep/scheduled-verification.ts'
import { startUpkeep, type UpkeepFailure, type UpkeepTask } from '../src/upkeep/upkeep.ts'
import { manualClock } from '@drawbridge/testkit'

import {
  call,
  claimsOf,
  countEvents,
  createStream,
  makeTransmitter,
  nextEvent,
  poll,
  pushEndpoint,
  pushTo,
  user,
  type Endpoint,
} from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function started(options: Partial<TransmitterOptions> = {}): Promise<Transmitter> {
  const transmitter = makeTransmitter(options)
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return transmitter
}

async function endpoint(...given: Parameters<typeof pushEndpoint>): Promise<Endpoint> {
  const made = await pushEndpoint(...given)
  ends.push(() => made.close())
  return made
}

const statusOf = async (transmitter: Transmitter, streamId: string): Promise<string> =>
  (await transmitter.streams.read(streamId)).status

describe('a status that the Transmitter sets', () => {
  it('SSF-8.1.2-3 SSF-8.1.5-2 SSF-8.1.5-4 SSF-8.1.5-5 SSF-8.1.5-6 SSF-8.1.5-7: pausing tells the Receiver and holds what waits', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await transmitter.streams.updateStatus(id, { status: 'paused', reason: 'moving house' })
    const { sets } = await poll(transmitter, id)
    const [set = ''] = Object.values(sets)
    expect(Object.keys(sets)).toHaveLength(1)
    expect(claimsOf(set)).toEqual({
      iss: 'https://idp.example/tenant',
      aud: 'https://one.example',
      iat: expect.any(Number),
      jti: expect.any(String),
      txn: expect.any(String),
      sub_id: opaque(id),
      events: { [StreamUpdated.uri]: { status: 'paused', reason: 'moving house' } },
    })
    const status = await call(transmitter, `GET /status?stream_id=${id}`)
    expect(await status.json()).toEqual({ stream_id: id, status: 'paused', reason: 'moving house' })
  })

  it('SSF-8.1.5-3: enabling again tells the Receiver before what was held', async () => {
    const transmitter = await started()
    const { url, received } = await endpoint()
    const id = await createStream(transmitter, pushTo(url))
    const told = countEvents(transmitter, 'set:delivered', 1)
    await transmitter.streams.updateStatus(id, { status: 'paused' })
    await told
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const all = countEvents(transmitter, 'set:delivered', 2)
    await transmitter.streams.updateStatus(id, { status: 'enabled' })
    await all
    expect(received.map(({ set }) => claimsOf(set).events)).toEqual([
      { [StreamUpdated.uri]: { status: 'paused' } },
      { [StreamUpdated.uri]: { status: 'enabled' } },
      { [SessionRevoked.uri]: expect.anything() },
    ])
  })

  it('SSF-8.1.5-2: disabling drops what waits, but not the news of it', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await transmitter.streams.updateStatus(id, { status: 'disabled' })
    await transmitter.streams.updateStatus(id, { status: 'enabled' })
    const sets = Object.values((await poll(transmitter, id)).sets)
    expect(sets.map((set) => claimsOf(set).events)).toEqual([
      { [StreamUpdated.uri]: { status: 'enabled' } },
    ])
  })

  it('is news only where it is another', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    await transmitter.streams.updateStatus(id, { status: 'enabled', reason: 'as before' })
    expect((await transmitter.streams.read(id)).waiting).toBe(0)
    await call(transmitter, 'POST /status', { body: { stream_id: id, status: 'paused' } })
    // What its Receiver did, it knows.
    expect((await transmitter.streams.read(id)).waiting).toBe(0)
  })
})

describe('the streams in the hands of the operator', () => {
  it('are listed, whoever owns them, with how they do and without secrets', async () => {
    const transmitter = await started()
    const { url } = await endpoint(() => 'hang')
    const id = await createStream(transmitter, pushTo(url, 'Bearer quite secret'))
    await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const [first, second] = await transmitter.streams.list()
    expect(first).toMatchObject({
      stream_id: id,
      receiver: 'one',
      status: 'enabled',
      statusSetBy: 'receiver',
      isStatic: false,
      waiting: 1,
      oldestWaitingAt: expect.any(Number),
      deadLetters: 0,
      configuration: { stream_id: id, delivery: { endpoint_url: url } },
    })
    expect(second?.configuration.delivery.method).toBe(pollMethod)
    expect(JSON.stringify(first)).not.toContain('quite secret')
  })

  it('SSF-8.1.4.2-5 SSF-8.1.4-2: are verified without a state, as often as the operator likes', async () => {
    const transmitter = await started({ minVerificationIntervalSeconds: 60 })
    const id = await createStream(transmitter)
    await transmitter.streams.requestVerification(id)
    await transmitter.streams.requestVerification(id)
    const sets = Object.values((await poll(transmitter, id)).sets)
    expect(sets.map((set) => claimsOf(set).events)).toEqual([
      { [Verification.uri]: {} },
      { [Verification.uri]: {} },
    ])
  })

  it('are deleted', async () => {
    const transmitter = await started()
    const id = await createStream(transmitter)
    const told = nextEvent(transmitter, 'stream:deleted')
    await transmitter.streams.delete(id)
    expect(await told).toMatchObject({ stream_id: id })
    expect((await call(transmitter, `GET /streams?stream_id=${id}`)).status).toBe(404)
  })

  it('are looked for first', async () => {
    const transmitter = await started()
    const { streams, deadLetters, replay } = transmitter
    for (const attempt of [
      streams.read('x'),
      streams.updateStatus('x', { status: 'paused' }),
      streams.requestVerification('x'),
      streams.delete('x'),
      deadLetters.list('x'),
      deadLetters.read('x', 'jti'),
      deadLetters.sendAgain('x'),
      deadLetters.purge('x'),
      replay('x', { from: 0 }),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_STREAM_NOT_FOUND' })
    }
  })

  it('are out of reach while the Transmitter is not started', async () => {
    const { streams, deadLetters, replay } = makeTransmitter()
    for (const attempt of [streams.list(), deadLetters.list('x'), replay('x', { from: 0 })]) {
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
    }
  })
})

describe('inactivity', () => {
  const inactivity = { timeoutSeconds: 100, action: 'pause' } as const

  it('SSF-8.1.1-20 SSF-8.1.1-21 SSF-8.1.1-23: is announced in the configuration, and pauses with news', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, inactivity })
    const id = await createStream(transmitter)
    const configuration = await call(transmitter, `GET /streams?stream_id=${id}`)
    expect(await configuration.json()).toMatchObject({ inactivity_timeout: 100 })
    await clock.advance(99_000)
    expect(await statusOf(transmitter, id)).toBe('enabled')
    await clock.advance(1_000)
    expect(await statusOf(transmitter, id)).toBe('paused')
    const sets = Object.values((await poll(transmitter, id)).sets)
    expect(sets.map((set) => claimsOf(set).events)).toEqual([
      { [StreamUpdated.uri]: { status: 'paused', reason: expect.any(String) } },
    ])
  })

  it.each([
    ['disable', 'disabled'],
    ['delete', undefined],
  ] as const)('SSF-8.1.1-21: may %s the stream', async (action, status) => {
    const clock = manualClock()
    const transmitter = await started({ clock, inactivity: { timeoutSeconds: 100, action } })
    await createStream(transmitter)
    await clock.advance(100_000)
    const [stream] = await transmitter.streams.list()
    expect(stream?.status).toBe(status)
  })

  const alice = { format: 'opaque', id: 'alice' }
  const signs: readonly [route: string, body: object | undefined][] = [
    ['GET /streams?stream_id=:id', undefined],
    ['GET /status?stream_id=:id', undefined],
    ['PATCH /streams', { description: 'mine' }],
    ['PUT /streams', {}],
    ['POST /status', { status: 'enabled' }],
    ['POST /subjects:add', { subject: alice }],
    ['POST /subjects:remove', { subject: alice }],
    ['POST /verify', {}],
  ]

  it.each(signs)('SSF-8.1.1-22: of a push stream ends with %s', async (route, body) => {
    const clock = manualClock()
    const transmitter = await started({ clock, inactivity })
    const { url } = await endpoint()
    const id = await createStream(transmitter, pushTo(url))
    await clock.advance(60_000)
    const whole = route.startsWith('PUT') ? pushTo(url) : {}
    const request = body ? { body: { stream_id: id, ...body, ...whole } } : {}
    const answer = await call(transmitter, route.replace(':id', id), request)
    expect(answer.status).toBeLessThan(300)
    await clock.advance(60_000)
    expect(await statusOf(transmitter, id)).toBe('enabled')
  })

  it('SSF-8.1.1-22: of a poll stream ends with a poll', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, inactivity })
    const id = await createStream(transmitter)
    await clock.advance(60_000)
    await poll(transmitter, id)
    await clock.advance(60_000)
    expect(await statusOf(transmitter, id)).toBe('enabled')
  })

  it('SSF-8.1.1-22: does not end with a push that is taken, a poll of a push stream, what another Receiver does, or a look at all streams', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, inactivity })
    const { url } = await endpoint()
    const id = await createStream(transmitter, pushTo(url))
    await clock.advance(60_000)
    const taken = nextEvent(transmitter, 'set:delivered')
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await taken
    const otherId = await createStream(transmitter)
    expect((await call(transmitter, 'GET /streams')).status).toBe(200)
    for (const [route, token] of [
      [`POST /poll/${id}`, 'token-one'],
      [`POST /poll/${id}`, 'token-two'],
    ] as const) {
      const answer = await call(transmitter, route, { token, body: { returnImmediately: true } })
      expect(answer.status).toBe(404)
    }
    const foreign = await call(transmitter, `GET /status?stream_id=${id}`, { token: 'token-two' })
    expect(foreign.status).toBe(404)
    await clock.advance(40_000)
    expect(await statusOf(transmitter, id)).toBe('paused')
    expect(await statusOf(transmitter, otherId)).toBe('enabled')
  })

  it('goes on over a restart, but leaves Receivers the time to come back', async () => {
    const clock = manualClock()
    const store = memoryStore()
    const options = { clock, inactivity: { timeoutSeconds: 1000, action: 'pause' }, store } as const
    const first = await started(options)
    const id = await createStream(first)
    await clock.advance(900_000)
    await first.stop()
    const second = await started(options)
    await clock.advance(99_000)
    expect(await statusOf(second, id)).toBe('enabled')
    const told = nextEvent(second, 'stream:updated')
    await clock.advance(1_000)
    expect(await told).toMatchObject({ stream_id: id, status: 'paused' })
  })

  it('that lasted while the Transmitter was down is not held against anybody at once', async () => {
    const clock = manualClock()
    const store = memoryStore()
    const first = await started({ clock, inactivity, store })
    const id = await createStream(first)
    await first.stop()
    await clock.advance(1_000_000)
    const second = await started({ clock, inactivity, store })
    await clock.advance(9_000)
    expect(await statusOf(second, id)).toBe('enabled')
    await clock.advance(1_000)
    expect(await statusOf(second, id)).toBe('paused')
  })

  it('that nobody counted does not count', async () => {
    const clock = manualClock()
    const store = memoryStore()
    const counting = await started({ clock, inactivity, store })
    const id = await createStream(counting)
    await counting.stop()
    await (await started({ clock, store })).stop()
    await clock.advance(1_000_000)
    const again = await started({ clock, inactivity, store })
    await clock.advance(99_000)
    expect(await statusOf(again, id)).toBe('enabled')
  })

  it('is written down now and then, not with every poll', async () => {
    const clock = manualClock()
    const store = memoryStore()
    let writes = 0
    const transmitter = await started({
      clock,
      inactivity: { timeoutSeconds: 1000, action: 'pause' },
      store: {
        open: async (issuer) => {
          const opened = await store.open(issuer)
          return {
            ...opened,
            noteActivity: (activeAt) => {
              writes++
              return opened.noteActivity(activeAt)
            },
          }
        },
      },
    })
    const id = await createStream(transmitter)
    for (let n = 0; n < 100; n++) {
      await poll(transmitter, id)
      await clock.advance(1000)
    }
    expect(writes).toBeGreaterThan(0)
    expect(writes).toBeLessThan(4)
  })

  it('leaves a stream alone that its Receiver stopped, and begins anew when the operator enables one', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, inactivity })
    const stopped = await createStream(transmitter)
    const other = await createStream(transmitter)
    await call(transmitter, 'POST /status', { body: { stream_id: stopped, status: 'disabled' } })
    await clock.advance(100_000)
    expect(await statusOf(transmitter, stopped)).toBe('disabled')
    expect(await statusOf(transmitter, other)).toBe('paused')
    await transmitter.streams.updateStatus(other, { status: 'enabled' })
    await clock.advance(99_000)
    expect(await statusOf(transmitter, other)).toBe('enabled')
  })
})

describe('a verification that the Transmitter starts', () => {
  it('SSF-8.1.4.2-5: is the first event of a new stream', async () => {
    const transmitter = await started({ verification: { onCreate: true } })
    const id = await createStream(transmitter)
    const [set = ''] = Object.values((await poll(transmitter, id)).sets)
    expect(claimsOf(set).events).toEqual({ [Verification.uri]: {} })
  })

  it('SSF-8.1.4.2-5: comes once in the time, on enabled streams, where nothing has waited for half as long', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, verification: { everySeconds: 600 } })
    const [read, unread, paused] = [
      await createStream(transmitter),
      await createStream(transmitter),
      await createStream(transmitter),
    ]
    await call(transmitter, 'POST /status', { body: { stream_id: paused, status: 'paused' } })
    const seen: unknown[] = []
    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(60_000)
      const { sets } = await poll(transmitter, read)
      await poll(transmitter, read, { ack: Object.keys(sets) })
      seen.push(...Object.values(sets).map((set) => claimsOf(set).events))
    }
    expect(seen).toEqual(Array.from({ length: 6 }, () => ({ [Verification.uri]: {} })))
    expect((await transmitter.streams.read(unread)).waiting).toBe(1)
    expect((await transmitter.streams.read(paused)).waiting).toBe(0)
  })

  it('is not piled up where one turn came late and the next one did not', async () => {
    const clock = manualClock()
    const transmitter = await started({ clock, verification: { everySeconds: 600 } })
    const id = await createStream(transmitter)
    const turn = turnAfter(id, clock.now(), 600_000)
    const recorded = nextEvent(transmitter, 'event:recorded')
    await clock.jump(turn + 60_000 - clock.now())
    await recorded
    expect((await transmitter.streams.read(id)).oldestWaitingAt).toBe(turn + 60_000)
    await clock.advance(600_000)
    expect((await transmitter.streams.read(id)).waiting).toBe(1)
  })

  it('has its turn at the same times whenever the Transmitter was started', () => {
    const turn = turnAfter('a', 1_700_000_000_000, 600_000)
    expect(turn).toBeGreaterThan(1_700_000_000_000)
    expect(turnAfter('a', turn - 1, 600_000)).toBe(turn)
    expect(turnAfter('a', turn, 600_000)).toBe(turn + 600_000)
    expect(turnAfter('b', turn - 1, 600_000)).not.toBe(turn)
  })
})

describe('upkeep', () => {
  it('tells of a task that fails, tries it again, and goes on with the others', async () => {
    const clock = manualClock(0)
    const runs: string[] = []
    const failures: UpkeepFailure[] = []
    const cause = new Error('not today')
    const tasks: UpkeepTask[] = [
      {
        name: 'bad',
        run: async () => {
          if (runs.push('bad') === 1) throw cause
          return undefined
        },
      },
      { name: 'good', run: async (now) => (runs.push(`good at ${now}`), now + 8000) },
    ]
    const upkeep = startUpkeep(tasks, { clock, failed: (failure) => failures.push(failure) })
    await clock.advance(20_000)
    expect(failures).toEqual([{ task: 'bad', cause, retryInMs: 10_000 }])
    expect(runs).toEqual(['bad', 'good at 0', 'good at 8000', 'bad', 'good at 16000'])
    await upkeep.stop()
    await clock.advance(100_000)
    expect(runs).toHaveLength(5)
  })

  it('holds up no task for one that waits', async () => {
    const clock = manualClock(0)
    const failed = (): void => {}
    const runs: number[] = []
    const good = async (now: number): Promise<number> => (runs.push(now), now + 8000)
    const tasks = [
      { name: 'waits', run: () => new Promise<undefined>(() => {}) },
      { name: 'good', run: good },
    ]
    startUpkeep(tasks, { clock, failed })
    await clock.advance(20_000)
    expect(runs).toEqual([0, 8000, 16_000])
  })

  it('stops when the task that is under way has ended', async () => {
    let end: () => void = () => {}
    const ended = new Promise<undefined>((resolve) => void (end = () => resolve(undefined)))
    const upkeep = startUpkeep([{ name: 'slow', run: () => ended }], {
      clock: manualClock(),
      failed: () => {},
    })
    const order: string[] = []
    const stopped = upkeep.stop().then(() => order.push('stopped'))
    await new Promise((resolve) => void setImmediate(resolve))
    order.push('ended')
    end()
    await stopped
    expect(order).toEqual(['ended', 'stopped'])
  })

  it('of a Transmitter tells of a store that fails', async () => {
    const clock = manualClock()
    const store = memoryStore()
    const cause = new Error('the disk is gone')
    const transmitter = makeTransmitter({
      clock,
      store: {
        open: async (issuer) => ({
          ...(await store.open(issuer)),
          forget: () => Promise.reject(cause),
        }),
      },
    })
    const told = nextEvent(transmitter, 'upkeep:failed')
    await transmitter.start()
    expect(await told).toMatchObject({ task: 'retention', cause, retryInMs: 10_000 })
    await transmitter.stop()
  })
})

describe('options of lives', () => {
  it('are checked together', () => {
    const options = {
      inactivity: { timeoutSeconds: 25, action: 'forget' },
      verification: { everySeconds: 0 },
      retention: { maxRows: 0, maxAgeSeconds: 1.5, deliveredSeconds: -1, deadLetterSeconds: -1 },
    } as unknown as Partial<TransmitterOptions>
    const mistakes = [
      '"inactivity.timeoutSeconds" must be an integer, and longer than "poll.longPollMs"',
      '"inactivity.action" must be "pause", "disable" or "delete"',
      '"verification.everySeconds" must be an integer of 1 or more',
      '"retention.maxRows" must be an integer of 1 or more',
      '"retention.maxAgeSeconds" must be an integer of 1 or more',
      '"retention.deliveredSeconds" must be an integer of 0 or more',
      '"retention.deadLetterSeconds" must be an integer of 0 or more',
    ]
    expect(() => makeTransmitter(options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', mistakes }),
    )
    expect(() =>
      makeTransmitter({ retention: { maxAgeSeconds: 60, deliveredSeconds: 61 } }),
    ).toThrow('"retention.deliveredSeconds" must not be more than "retention.maxAgeSeconds"')
  })
})
