import { afterEach, describe, expect, it } from '@jest/globals'
import { poll as pollMethod, push } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  memoryStore,
  type StaticStream,
  type Transmitter,
  type TransmitterOptions,
} from '../src/index.ts'
import { manualClock } from '@drawbridge/testkit'

import {
  call,
  claimsOf,
  createStream,
  makeTransmitter,
  nextEvent,
  poll,
  pushEndpoint,
  user,
  type Endpoint,
} from './support.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function started(
  staticStreams: readonly StaticStream[],
  options: Partial<TransmitterOptions> = {},
): Promise<Transmitter> {
  const transmitter = makeTransmitter({ staticStreams, ...options })
  await transmitter.start()
  ends.push(() => transmitter.stop())
  return transmitter
}

async function endpoint(): Promise<Endpoint> {
  const made = await pushEndpoint()
  ends.push(() => made.close())
  return made
}

const polled: StaticStream = {
  stream_id: 'wiki',
  receiver: 'one',
  audience: 'https://wiki.example',
  delivery: { method: pollMethod },
  events: [SessionRevoked],
}

const pushed = (endpoint_url: string, more: Partial<StaticStream> = {}): StaticStream => ({
  stream_id: 'wiki',
  audience: 'https://wiki.example',
  delivery: { method: push, endpoint_url, authorization_header: 'Bearer first' },
  events: [SessionRevoked],
  ...more,
})

describe('a static stream', () => {
  it('is there from the start, and pushes without anybody having asked', async () => {
    const { url, received } = await endpoint()
    const transmitter = await started([pushed(url)])
    const delivered = nextEvent(transmitter, 'set:delivered')
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await transmitter.transmit(CredentialChange, user('alice'), {
      credential_type: 'password',
      change_type: 'update',
    })
    await delivered
    expect(received.map(({ set }) => claimsOf(set).aud)).toEqual(['https://wiki.example'])
    expect(received[0]?.headers.authorization).toBe('Bearer first')
    const [stream] = await transmitter.streams.list()
    expect(stream).toMatchObject({ stream_id: 'wiki', receiver: '', isStatic: true })
  })

  it('is read and polled by its Receiver, and by nobody else', async () => {
    const transmitter = await started([polled])
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    expect(Object.keys((await poll(transmitter, 'wiki')).sets)).toHaveLength(1)
    for (const route of ['GET /streams?stream_id=wiki', 'GET /status?stream_id=wiki']) {
      expect((await call(transmitter, route)).status).toBe(200)
      expect((await call(transmitter, route, { token: 'token-two' })).status).toBe(404)
    }
  })

  const alice = { format: 'opaque', id: 'alice' }
  it.each([
    ['PATCH /streams', { description: 'mine' }],
    ['PUT /streams', { delivery: { method: pollMethod } }],
    ['DELETE /streams?stream_id=wiki', undefined],
    ['POST /status', { status: 'paused' }],
    ['POST /subjects:add', { subject: alice }],
    ['POST /subjects:remove', { subject: alice }],
  ])('is not changed by its Receiver: %s is 403', async (route, body) => {
    const transmitter = await started([polled])
    const before = await transmitter.streams.read('wiki')
    const request = body ? { body: { stream_id: 'wiki', ...body } } : {}
    const answer = await call(transmitter, route, request)
    expect(answer.status).toBe(403)
    expect(await answer.json()).toEqual({
      err: 'access_denied',
      description: 'the stream is set up by the Transmitter, and can be changed there only',
    })
    expect(await transmitter.streams.read('wiki')).toEqual(before)
    const foreign = await call(transmitter, route, { ...request, token: 'token-two' })
    expect(foreign.status).toBe(404)
  })

  it('is verified by its Receiver', async () => {
    const transmitter = await started([polled])
    const answer = await call(transmitter, 'POST /verify', { body: { stream_id: 'wiki' } })
    expect(answer.status).toBe(204)
  })

  it('of nobody is not even that of a Receiver without a name', async () => {
    const nameless = { id: '', audience: 'https://one.example', scopes: ['ssf.manage'] }
    const transmitter = await started([pushed('http://127.0.0.1:9/')], {
      authenticate: () => nameless,
    })
    expect((await call(transmitter, 'GET /status?stream_id=wiki')).status).toBe(404)
  })

  it('is changed at the next start, keeps what waits and its status, and is told of', async () => {
    const store = memoryStore()
    const first = await started(
      [{ ...polled, receiver: 'two' }, pushed('http://127.0.0.1:9/', { stream_id: 'mail' })],
      { store },
    )
    await first.streams.updateStatus('mail', { status: 'paused', reason: 'not ready' })
    await first.transmit(SessionRevoked, user('alice'), {})
    await first.stop()

    const { url, received } = await endpoint()
    const changed = pushed(url, {
      stream_id: 'mail',
      delivery: { method: push, endpoint_url: url, authorization_header: 'Bearer second' },
    })
    const second = makeTransmitter({
      store,
      staticStreams: [{ ...polled, receiver: 'two' }, changed],
    })
    ends.push(() => second.stop())
    const told: unknown[] = []
    second.events.on('stream:updated', ({ stream_id }) => told.push(stream_id))
    await second.start()
    expect(told).toEqual(['mail'])
    expect(await second.streams.read('mail')).toMatchObject({
      status: 'paused',
      reason: 'not ready',
    })
    const all = new Promise<void>((resolve) => {
      second.events.on('set:delivered', () => received.length === 2 && resolve())
    })
    await second.streams.updateStatus('mail', { status: 'enabled' })
    await all
    expect(received.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer second',
      'Bearer second',
    ])
    expect(Object.keys(claimsOf(received[1]?.set ?? '').events)).toEqual([SessionRevoked.uri])
  })

  it('of another Receiver is another stream: what waited is not for it', async () => {
    const store = memoryStore()
    const first = await started([polled], { store })
    await first.transmit(SessionRevoked, user('alice'), {})
    await first.stop()
    const second = makeTransmitter({ store, staticStreams: [{ ...polled, receiver: 'two' }] })
    ends.push(() => second.stop())
    const told = nextEvent(second, 'stream:deleted')
    await second.start()
    expect(await told).toMatchObject({ stream_id: 'wiki' })
    expect(await second.streams.read('wiki')).toMatchObject({ receiver: 'two', waiting: 0 })
  })

  it('that is not set up any more is deleted, and that is told; those of Receivers stay', async () => {
    const store = memoryStore()
    const first = await started([polled], { store })
    const own = await createStream(first)
    await first.stop()
    const second = makeTransmitter({ store })
    ends.push(() => second.stop())
    const told = nextEvent(second, 'stream:deleted')
    await second.start()
    expect(await told).toMatchObject({ stream_id: 'wiki' })
    expect((await second.streams.list()).map(({ stream_id }) => stream_id)).toEqual([own])
  })

  it('does not take the place of a stream that a Receiver has made', async () => {
    const store = memoryStore()
    const first = await started([], { store })
    const stream_id = await createStream(first)
    await first.stop()
    const second = makeTransmitter({ store, staticStreams: [{ ...polled, stream_id }] })
    await expect(second.start()).rejects.toMatchObject({ code: 'ERR_STREAM_CONFLICT' })
    const third = await started([], { store })
    expect(await third.streams.list()).toHaveLength(1)
  })

  it('does not end for want of a sign of life', async () => {
    const clock = manualClock()
    const inactivity = { timeoutSeconds: 100, action: 'delete' } as const
    const transmitter = await started([polled], { clock, inactivity })
    const answer = await call(transmitter, 'GET /streams?stream_id=wiki')
    expect(await answer.json()).not.toHaveProperty('inactivity_timeout')
    await clock.advance(1_000_000)
    expect(await transmitter.streams.list()).toHaveLength(1)
  })

  it('has the subjects that it is given', async () => {
    const transmitter = await started([{ ...polled, defaultSubjects: 'NONE' }])
    const { deliveries } = await transmitter.transmit(SessionRevoked, user('alice'), {})
    expect(deliveries).toEqual([])
  })

  it('is checked with all other options', () => {
    const staticStreams = [
      { ...polled, receiver: undefined, stream_id: 'a b' },
      { ...pushed('https://user:password@wiki.example/'), audience: '', defaultSubjects: 'SOME' },
      { stream_id: 'a b', audience: 'x', delivery: { method: 'x' }, events: [{ uri: 'x:y' }] },
    ] as unknown as readonly StaticStream[]
    const rule = 'a text of letters, digits, "-", ".", "_" and "~"'
    const mistakes = [
      '"staticStreams" must each have a "stream_id" of their own',
      `"staticStreams[0].stream_id" must be ${rule}`,
      '"staticStreams[0].receiver" must be the "id" of a Receiver: somebody has to poll',
      '"staticStreams[1].audience" must be a text',
      '"staticStreams[1].defaultSubjects" must be "ALL" or "NONE"',
      '"staticStreams[1].delivery.endpoint_url" must be an https URL without credentials',
      `"staticStreams[2].stream_id" must be ${rule}`,
      '"staticStreams[2].events" must be some of "eventsSupported"',
      `"staticStreams[2].delivery.method" must be "${push}" or "${pollMethod}"`,
      '"staticStreams[2].delivery.endpoint_url" must be an https URL without credentials',
    ]
    expect(() => makeTransmitter({ staticStreams })).toThrow(expect.objectContaining({ mistakes }))
  })
})
