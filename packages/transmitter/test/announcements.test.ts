import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { push } from '@drawbridge/schema'
import { StreamUpdated } from '@drawbridge/schema/ssf'
import { whatLeaves } from '../src/delivery/what-leaves.ts'
import type { OutboxEntry, StatusChange } from '../src/index.ts'
import type { Stream } from '../src/streams/stream.ts'
import { addStream, deliveryAtWork, rowOf, type DeliveryAtWork } from './delivery-support.ts'
import { pushEndpoint, type Endpoint, type PushAnswer } from './support.ts'

const jtiOf = (claims: string): string => (JSON.parse(claims) as { jti: string }).jti
const announcement = (jti: string): OutboxEntry =>
  rowOf('a', jti, { kind: 'announcement', lane: 'stream', type: StreamUpdated.uri })
const paused = { status: 'paused', status_set_by: 'transmitter' } as const
const disabled = { status: 'disabled', status_set_by: 'transmitter' } as const
const enabled = { status: 'enabled', status_set_by: 'transmitter' } as const
const pausedByReceiver = { status: 'paused', status_set_by: 'receiver' } as const

let work: DeliveryAtWork
let stream: Stream
/** Changes the status as the Transmitter does: in the store with the announcement, then here. */
const change = async (to: StatusChange, jti?: string): Promise<void> => {
  await work.store.changeStatus('a', to, jti === undefined ? undefined : announcement(jti))
  stream = { ...stream, ...to }
  work.delivery.update(stream)
}

describe('what may leave a stream', () => {
  it.each([
    ['enabled', undefined, 'all'],
    ['enabled', 'receiver', 'all'],
    ['enabled', 'transmitter', 'all'],
    ['paused', undefined, 'nothing'],
    ['paused', 'receiver', 'nothing'],
    ['paused', 'transmitter', 'announcements'],
    ['disabled', 'receiver', 'nothing'],
    ['disabled', 'transmitter', 'announcements'],
  ] as const)('that is %s, as set by %s: %s', (status, by, leaving) => {
    expect(whatLeaves({ status, ...(by ? { status_set_by: by } : {}) })).toBe(leaving)
  })
})

describe('announcements of a push stream', () => {
  let endpoint: Endpoint
  let respond: (jti: string) => PushAnswer
  const received = (): string[] => endpoint.received.map(({ set }) => jtiOf(set))

  beforeEach(async () => {
    respond = () => ({ status: 202 })
    endpoint = await pushEndpoint(({ set }) => respond(jtiOf(set)))
    work = await deliveryAtWork({}, { push: { maxAttempts: 3 } })
    stream = await addStream(work.store, 'a', {
      delivery: { method: push, endpoint_url: endpoint.url },
    })
    work.delivery.update(stream)
  })
  afterEach(async () => {
    await work.delivery.stop()
    await endpoint.close()
  })

  it('SSF-8.1.5-2, SSF-8.1.2.1-6: leave a stream that the Transmitter pauses, events do not', async () => {
    await change(paused, 'pausing')
    await work.count('set:delivered', 1)
    await work.append(rowOf('a', 'event'))
    await work.delivery.stop()
    expect(received()).toEqual(['pausing'])
  })

  it('SSF-8.1.5-3, SSF-8.1.2.1-5, SSF-8.1.2.1-7, SSF-8.1.2.1-9: go before what was held', async () => {
    await change(paused, 'pausing')
    await work.count('set:delivered', 1)
    await work.append(...[1, 2, 3].map((n) => rowOf('a', `alice ${n}`, { lane: 'alice' })))
    await work.append(rowOf('a', 'bob'))
    await change(enabled, 'enabling')
    await work.count('set:delivered', 6)
    expect(received().slice(0, 2)).toEqual(['pausing', 'enabling'])
    const alice = received().filter((jti) => jti.startsWith('alice'))
    expect(alice).toEqual(['alice 1', 'alice 2', 'alice 3'])
  })

  it('SSF-8.1.2.1-10: leave a stream that was disabled; what waited is gone', async () => {
    respond = () => ({ status: 503 })
    await work.append(rowOf('a', 'event'))
    await work.count('delivery:failed', 1)
    await change(disabled, 'disabling')
    respond = () => ({ status: 202 })
    await work.count('set:delivered', 1)
    await change(enabled, 'enabling')
    await work.count('set:delivered', 2)
    expect(received().filter((jti) => jti !== 'event')).toEqual(['disabling', 'enabling'])
    expect(work.told.filter(({ name }) => name === 'set:delivered')).toHaveLength(2)
  })

  it('SSF-8.1.2.1-6: do not leave a stream that its Receiver stopped', async () => {
    await change(pausedByReceiver, 'never')
    await work.append(rowOf('a', 'event'))
    await work.delivery.stop()
    expect(received()).toEqual([])
  })

  it('hold the events back while they fail, but not for ever', async () => {
    respond = (jti) => ({ status: jti === 'enabling' ? 500 : 202 })
    await change(paused)
    await work.append(rowOf('a', 'event'))
    await change(enabled, 'enabling')
    await work.count('set:delivered', 1)
    expect(received().slice(0, 3)).toEqual(['enabling', 'enabling', 'enabling'])
    expect(received()).toContain('event')
  })

  it('are given up as events are, and the events go on', async () => {
    const body = '{"err":"invalid_request"}'
    respond = (jti) => (jti === 'enabling' ? { status: 400, body } : { status: 202 })
    await change(paused)
    await work.append(rowOf('a', 'event'))
    await change(enabled, 'enabling')
    await work.count('set:delivered', 1)
    expect(received()).toEqual(['enabling', 'event'])
    expect(await work.store.deadLetters('a', 0, 9)).toMatchObject([{ jti: 'enabling' }])
  })
})

describe('announcements of a poll stream', () => {
  const poll = async (body: object = {}): Promise<string[]> => {
    const request = { returnImmediately: true, ...body }
    return Object.keys(
      (await work.delivery.poll(stream, request, new AbortController().signal)).sets,
    )
  }
  beforeEach(async () => {
    work = await deliveryAtWork()
    stream = await addStream(work.store, 'a')
    work.delivery.update(stream)
  })
  afterEach(() => work.delivery.stop())

  it('SSF-8.1.5-2, SSF-8.1.2.1-6: are all that is offered of a stream the Transmitter paused', async () => {
    await work.append(rowOf('a', 'before'), rowOf('a', 'event'))
    expect(await poll({ maxEvents: 1 })).toEqual(['before'])
    await change(paused, 'pausing')
    expect(await poll({ ack: ['before'] })).toEqual(['pausing'])
    expect(await poll({ ack: ['pausing'] })).toEqual([])
    expect(work.told.map(({ jti }) => jti)).toEqual(['before', 'pausing'])
  })

  it('SSF-8.1.5-3, SSF-8.1.2.1-7: come first in the sets of one that was enabled', async () => {
    await work.append(rowOf('a', 'one'), rowOf('a', 'two'))
    await change(paused, 'pausing')
    await change(enabled, 'enabling')
    const signal = new AbortController().signal
    const first = await work.delivery.poll(stream, { maxEvents: 1 }, signal)
    expect([Object.keys(first.sets), first.moreAvailable]).toEqual([['enabling'], true])
    expect(await poll()).toEqual(['one', 'two'])
  })

  it('are in the same answer as the events, before them', async () => {
    await work.append(rowOf('a', 'one'))
    await change(enabled, 'enabling')
    expect(await poll()).toEqual(['enabling', 'one'])
  })

  it('SSF-8.1.2.1-6: are not offered of one that its Receiver stopped', async () => {
    await change(pausedByReceiver, 'never')
    await work.append(rowOf('a', 'event'))
    expect(await poll()).toEqual([])
  })

  it('wake a poll that waits on a stream that is stopped', async () => {
    await change(paused)
    const waiting = work.delivery.poll(stream, {}, new AbortController().signal)
    await work.append(rowOf('a', 'event'))
    await change(disabled, 'disabling')
    expect(Object.keys((await waiting).sets)).toEqual(['disabling'])
  })

  it('SSF-8.1.2.1-10: dropped events let others of their principal go on', async () => {
    await work.append(rowOf('a', 'first', { lane: 'alice' }))
    expect(await poll()).toEqual(['first'])
    await change(disabled)
    await change(enabled)
    await work.append(rowOf('a', 'second', { lane: 'alice' }))
    expect(await poll()).toEqual(['second'])
  })
})
