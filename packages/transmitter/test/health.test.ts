import { afterEach, describe, expect, it } from '@jest/globals'
import { StorageError } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { memoryStore, type IssuerStore, type Transmitter } from '../src/index.ts'
import { manualClock, type ManualClock } from '@drawbridge/testkit'

import {
  call,
  createStream,
  makeTransmitter,
  nextEvent,
  poll,
  pushEndpoint,
  pushTo,
  user,
} from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

interface Watched {
  readonly transmitter: Transmitter
  readonly clock: ManualClock
  /** How often the store was asked what waits. */
  readonly asked: () => number
}

async function started(backlog?: IssuerStore['backlog']): Promise<Watched> {
  const clock = manualClock()
  const store = memoryStore()
  let asked = 0
  const transmitter = makeTransmitter({
    clock,
    store: {
      open: async (issuer) => {
        const opened = await store.open(issuer)
        const ask = (streamId: string): ReturnType<IssuerStore['backlog']> => {
          asked++
          return (backlog ?? opened.backlog)(streamId)
        }
        return { ...opened, backlog: ask }
      },
    },
  })
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return { transmitter, clock, asked: () => asked }
}

describe('health', () => {
  it('is down before the start and after the stop, and ok between', async () => {
    const transmitter = makeTransmitter()
    const down = { status: 'down', isReady: false, isStoreReachable: false }
    expect(await transmitter.health()).toMatchObject(down)
    await transmitter.start()
    expect(await transmitter.health()).toEqual({
      status: 'ok',
      isReady: true,
      isStoreReachable: true,
      streams: { enabled: 0, paused: 0, disabled: 0 },
      atFault: [],
      waiting: 0,
      deadLetters: 0,
      asOf: expect.any(Number),
    })
    await transmitter.stop()
    expect(await transmitter.health()).toMatchObject(down)
  })

  it('counts streams, what waits and what was refused', async () => {
    const { transmitter, clock } = await started()
    const [one, two] = [await createStream(transmitter), await createStream(transmitter)]
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const [jti = ''] = Object.keys((await poll(transmitter, one)).sets)
    await poll(transmitter, one, { setErrs: { [jti]: { err: 'invalid_request' } } })
    await call(transmitter, 'POST /status', { body: { stream_id: two, status: 'paused' } })
    await clock.advance(1000)
    await transmitter.transmit(SessionRevoked, user('bob'), {})
    expect(await transmitter.health()).toMatchObject({
      status: 'ok',
      streams: { enabled: 1, paused: 1, disabled: 0 },
      waiting: 3,
      // What a paused stream holds is not late.
      oldestWaitingAt: clock.now(),
      deadLetters: 1,
    })
  })

  it('is degraded by a stream at fault, and says which, and since when', async () => {
    const { transmitter, clock } = await started()
    const { url, close } = await pushEndpoint(() => ({ status: 404 }))
    ends.push(close)
    const id = await createStream(transmitter, pushTo(url))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await failed
    const since = clock.now()
    await clock.advance(5000)
    expect(await transmitter.health()).toMatchObject({
      status: 'degraded',
      isReady: true,
      atFault: [{ stream_id: id, since }],
    })
  })

  it('is down while the store does not answer', async () => {
    const failing = await started(() =>
      Promise.reject(new StorageError('ERR_STORAGE_UNAVAILABLE', 'gone')),
    )
    await createStream(failing.transmitter)
    const down = { status: 'down', isReady: false, isStoreReachable: false }
    expect(await failing.transmitter.health()).toMatchObject(down)

    const silent = await started(() => new Promise(() => undefined))
    await createStream(silent.transmitter)
    const health = silent.transmitter.health()
    await silent.clock.advance(2000)
    expect(await health).toMatchObject({ ...down, streams: { enabled: 1 } })
  })

  it('asks the store once in five seconds, however often it is asked', async () => {
    const { transmitter, clock, asked } = await started()
    await createStream(transmitter)
    const before = asked()
    for (let second = 0; second < 5; second++) {
      await Promise.all([transmitter.health(), transmitter.health()])
      await clock.advance(999)
    }
    expect(asked() - before).toBe(1)
    await clock.advance(5)
    await transmitter.health()
    expect(asked() - before).toBe(2)
  })

  it('holds no secret and nobody', async () => {
    const { transmitter } = await started()
    const { url, close } = await pushEndpoint(() => ({ status: 404 }))
    ends.push(close)
    await createStream(transmitter, pushTo(url, 'Bearer quite secret'))
    const failed = nextEvent(transmitter, 'delivery:failed')
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await failed
    const text = JSON.stringify(await transmitter.health())
    for (const hidden of ['secret', 'alice', url]) expect(text).not.toContain(hidden)
  })
})
