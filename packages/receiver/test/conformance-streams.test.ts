import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  clientCredentials,
  createReceiver,
  memoryInbox,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { opaque, poll, push } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  answerStatus,
  createTestTransmitter,
  manualClock,
  type PushAnswer,
  type TestRequest,
  type TestTransmitter,
} from '@drawbridge/testkit'
import { authorizationServer } from './support/authorization-server.ts'

let transmitter: TestTransmitter
let receiver: Receiver
const pushUrl = 'http://127.0.0.1:9/signals'

beforeEach(async () => {
  transmitter = await createTestTransmitter({ audience: 'app' })
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

function makePoll(options: Partial<ReceiverOptions> = {}): Receiver {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    events: [SessionRevoked],
    allowInsecureHttp: true,
    random: () => 0,
    ...options,
  })
  return receiver
}
const make = (options: Partial<ReceiverOptions> = {}): Receiver =>
  makePoll({ push: { url: pushUrl }, ...options })

const json =
  (status: number, body: unknown): PushAnswer =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(body))
const asked = (line: string): readonly TestRequest[] =>
  transmitter.requests.filter((request) => request.line === line)
const bodyOf = (line: string): TestRequest['body'] | undefined => asked(line).at(-1)?.body

/** A stream as the Transmitter has it, of another issuer. */
const foreign = (): object => ({
  ...transmitter.streams[0]?.configuration,
  iss: 'https://elsewhere.example',
})

describe('managing a stream', () => {
  it.each([
    ['push', () => make(), { method: push, endpoint_url: pushUrl }],
    [
      'push with a header',
      () => make({ push: { url: pushUrl, authorizationHeader: 'Bearer p' } }),
      { method: push, endpoint_url: pushUrl, authorization_header: 'Bearer p' },
    ],
    ['poll', () => makePoll(), { method: poll }],
  ])(
    'SSF-6.1.1-2 SSF-6.1.1-4 SSF-8.1.1-8 SSF-8.1.1.1-7 CIOP26-2.4.5.1-1: by %s, creating it says how SETs are delivered',
    async (_, create, delivery) => {
      await create().start()
      expect(bodyOf('POST /streams')).toEqual({ delivery, events_requested: [SessionRevoked.uri] })
    },
  )

  it('SSF-8.1.1-10 SSF-8.1.1.3-5 SSF-8.1.1.4-4: event types that are asked for are never an empty list', () => {
    make()
    expect(() => make({ events: [] })).toThrow('"events" must name at least one event type')
  })

  it('COMPAT-1-18: a single object instead of a list is the stream that is there', async () => {
    await make().start()
    await receiver.stop()
    transmitter.next('GET /streams', json(200, transmitter.streams[0]?.configuration))
    await make().start()
    expect(asked('POST /streams')).toHaveLength(1)
  })

  it('SSF-8.1.1-13: what can come is what the Transmitter says, not what was asked for', async () => {
    await make({ events: [SessionRevoked, CredentialChange] }).start()
    await receiver.stop()
    const configuration = {
      ...transmitter.streams[0]?.configuration,
      events_delivered: [CredentialChange.uri],
    }
    transmitter.next('GET /streams', json(200, [configuration]))
    await make({ events: [SessionRevoked, CredentialChange] }).start()
    expect(receiver.stream?.events_delivered).toEqual([CredentialChange.uri])
  })

  it('SSF-8.1.1.2-5: a configuration of another issuer that is read is refused', async () => {
    await make().start()
    transmitter.next('GET /streams', json(200, foreign()))
    await expect(receiver.ownStream?.read()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
    await receiver.stop()
    transmitter.next('GET /streams', json(200, [foreign()]))
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it('SSF-8.1.1.3-1 SSF-8.1.1.3-2 SSF-8.1.1.3-10: an update names the stream in its body, and its answer must be of the issuer', async () => {
    await make().start()
    await receiver.stop()
    await make({ events: [CredentialChange] }).start()
    expect(bodyOf('PATCH /streams')).toEqual({
      stream_id: 'stream-1',
      events_requested: [CredentialChange.uri],
    })
    await receiver.stop()
    transmitter.next('PATCH /streams', json(200, foreign()))
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it('SSF-8.1.1.1-6 SSF-8.1.1.4-1 SSF-8.1.1.4-2 SSF-8.1.1.4-9: a replacement has the name and all that is to be, and its answer must be of the issuer', async () => {
    await make({ push: { url: 'http://127.0.0.1:9/old' } }).start()
    await receiver.stop()
    const conflict = answerStatus(409)
    const url = { push: { url: pushUrl, authorizationHeader: 'Bearer p' }, replaceOnConflict: true }
    transmitter.next('POST /streams', conflict)
    await make(url).start()
    expect(bodyOf('PUT /streams')).toEqual({
      stream_id: 'stream-1',
      events_requested: [SessionRevoked.uri],
      delivery: { method: push, endpoint_url: pushUrl, authorization_header: 'Bearer p' },
    })
    await receiver.stop()
    transmitter.next('POST /streams', conflict)
    transmitter.next('PUT /streams', json(200, foreign()))
    const other = { ...url, push: { url: 'http://127.0.0.1:9/third' } }
    await expect(make(other).start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it('SSF-8.1.1.2-1 SSF-8.1.2-2 SSF-8.1.2.1-1 SSF-8.1.2.2-1 SSF-8.1.1.5-1 CIOP26-2.4.5-1 CIOP26-2.4.5.2-1: the status is read and changed, a verification asked for, and the stream deleted, each by its name', async () => {
    await make().start()
    const own = receiver.ownStream
    expect(await own?.read()).toMatchObject({ stream_id: 'stream-1' })
    // The test Transmitter finds no stream without `stream_id` in the query, and none by another.
    expect(await own?.readStatus()).toEqual({ stream_id: 'stream-1', status: 'enabled' })
    const paused = { stream_id: 'stream-1', status: 'paused' }
    expect(await own?.updateStatus({ status: 'paused', reason: 'a reason' })).toEqual(paused)
    expect(bodyOf('POST /status')).toEqual({ ...paused, reason: 'a reason' })
    await own?.updateStatus({ status: 'enabled' })
    expect(bodyOf('POST /status')).toEqual({ stream_id: 'stream-1', status: 'enabled' })
    expect(await own?.requestVerification()).toBe(true)
    expect(bodyOf('POST /verify')).toEqual({ stream_id: 'stream-1', state: expect.any(String) })
    expect([await own?.delete(), transmitter.streams.length]).toEqual([true, 0])
    expect(asked('DELETE /streams')[0]?.body).toEqual({})
    expect(await own?.read()).toBeUndefined()
  })

  it.each([
    ['true', { verified: true }],
    ['false', { verified: false }],
    ['nothing', {}],
  ])(
    'SSF-8.1.3.2-2: of whether a subject is verified, %s is told as the application says',
    async (_, options) => {
      await make().start()
      await receiver.ownStream?.addSubject(opaque('someone'), options)
      const { verified, ...rest } = bodyOf('POST /subjects:add') ?? {}
      expect(verified).toBe((options as { verified?: boolean }).verified)
      expect(rest).toEqual({ stream_id: 'stream-1', subject: opaque('someone') })
    },
  )

  it.each([undefined, 'ALL', 'NONE'])(
    'SSF-7.1-16: where "default_subjects" is %s, nothing else is done for it',
    async (default_subjects) => {
      const { issuer } = transmitter
      const endpoints = { configuration_endpoint: `${issuer}/streams`, jwks_uri: `${issuer}/jwks` }
      const metadata = { issuer, ...endpoints, default_subjects }
      transmitter.next('GET /.well-known/ssf-configuration', json(200, metadata))
      await make().start()
      expect(transmitter.requests.map(({ line }) => line)).toEqual([
        'GET /.well-known/ssf-configuration',
        'GET /streams',
        'POST /streams',
      ])
    },
  )

  it('CIOP26-2.4.3-1: every request about a stream has a token of the authorization server', async () => {
    const server = await authorizationServer()
    try {
      await make({
        authorize: clientCredentials({
          clientId: 'app',
          clientSecret: 'secret',
          issuer: server.issuer,
        }),
      }).start()
      await receiver.ownStream?.readStatus()
      await receiver.ownStream?.delete()
      const managing = transmitter.requests.filter(
        ({ line }) => !/ssf-configuration|jwks/.test(line),
      )
      expect(managing.length).toBeGreaterThanOrEqual(4)
      for (const { headers } of managing) expect(headers.authorization).toBe('Bearer token-1')
    } finally {
      await server.close()
    }
  })
})

describe('a stream with an "inactivity_timeout"', () => {
  /** Resolves when the status was asked for so often. */
  const askedFor = (times: number): Promise<unknown> =>
    transmitter.requested('GET /status', () => asked('GET /status').length === times)

  const start = async (create: () => Receiver): Promise<void> => {
    transmitter.next('POST /streams', (response) => {
      const name = { stream_id: 's', iss: transmitter.issuer, aud: 'app' }
      const delivery = bodyOf('POST /streams')?.['delivery'] as object
      const events = { events_requested: [], events_delivered: [] }
      const url = { endpoint_url: `${transmitter.issuer}/poll/s`, ...delivery }
      json(201, { ...name, ...events, delivery: url, inactivity_timeout: 90 })(response)
    })
    transmitter.always('POST /verify', answerStatus(204))
    transmitter.always('GET /status', json(200, { stream_id: 's', status: 'enabled' }))
    await create().start()
  }

  it('SSF-8.1.1-24: that is pushed is asked for before it counts as inactive, again and again', async () => {
    const clock = manualClock(Date.now())
    await start(() => make({ clock }))
    for (const times of [1, 2, 3]) {
      await clock.advance(29_000)
      expect(asked('GET /status')).toHaveLength(times - 1)
      await clock.advance(1000)
      await askedFor(times)
    }
  })

  it('is polled, which is activity enough', async () => {
    const clock = manualClock(Date.now())
    await start(() => makePoll({ clock }))
    await clock.advance(90_000)
    expect(asked('GET /status')).toHaveLength(0)
  })
})

describe('polling', () => {
  it('CIOP-2.4.1-1 CIOP26-2.4.1-1 POLL-2.2-1 POLL-2.2-2 POLL-2.2-6 POLL-2.2-9 POLL-2.4-1 POLL-2-5 POLL-2-6 POLL-2-7 POLL-2.6-1: a poll is a POST of JSON that acknowledges what was taken, reports what does not hold, and is silent about what failed here', async () => {
    let calls = 0
    makePoll().handle('*', ({ jti }) => {
      if (jti === 'fails' && ++calls === 1) throw new Error('not now')
    })
    await receiver.start()
    const again = new Promise((resolve) => receiver.events.once('set:unfinished', resolve))
    await transmitter.send({ claims: { jti: 'fails' } })
    await again
    await transmitter.send({ claims: { jti: 'good' } })
    await transmitter.send({ claims: { jti: 'bad', iss: 'https://elsewhere.example' } })
    const told = (name: string, member: 'ack' | 'setErrs'): Promise<TestRequest> =>
      transmitter.requested('POST /poll/stream-1', ({ body }) =>
        member === 'ack'
          ? ((body['ack'] ?? []) as string[]).includes(name)
          : Object.hasOwn(body['setErrs'] ?? {}, name),
      )
    await told('good', 'ack')
    const { body } = await told('bad', 'setErrs')
    expect(body['setErrs']).toEqual({
      bad: { err: 'invalid_issuer', description: expect.any(String) },
    })
    await told('fails', 'ack')
    const polls = asked('POST /poll/stream-1')
    for (const { headers } of polls) expect(headers['content-type']).toBe('application/json')
    const reported = polls.flatMap((one) => Object.keys(one.body['setErrs'] ?? {}))
    expect([reported, calls]).toEqual([['bad'], 2])
    // The first waits for events (a long poll), takes so many, and has nothing to tell.
    expect(polls[0]?.body).toEqual({ maxEvents: 100 })
  })

  it('POLL-2.4-4 POLL-3-3: where what is stored is acknowledged, that is before the handler is done; what nobody handles is acknowledged too', async () => {
    let goOn = (): void => undefined
    const waiting = new Promise<void>((resolve) => (goOn = resolve))
    makePoll({ acknowledge: 'stored', inbox: memoryInbox() }).handle('*', () => waiting)
    await receiver.start()
    await transmitter.send({ claims: { jti: 'one' } })
    await transmitter.send({ type: 'https://example.com/unknown', claims: { jti: 'unknown' } })
    for (const jti of ['one', 'unknown']) {
      await transmitter.requested('POST /poll/stream-1', ({ body }) =>
        ((body['ack'] ?? []) as string[]).includes(jti),
      )
    }
    goOn()
  })
})
