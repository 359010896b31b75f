import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  createReceiver,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { opaque, poll, push } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  answerStatus,
  createTestTransmitter,
  type PushAnswer,
  type TestRequest,
  type TestTransmitter,
} from '@drawbridge/testkit'

let transmitter: TestTransmitter
let receiver: Receiver
beforeEach(async () => {
  transmitter = await createTestTransmitter({ audience: 'app' })
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

function make(options: Partial<ReceiverOptions> = {}): Receiver {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    push: { url: 'http://127.0.0.1:9/signals' },
    events: [SessionRevoked],
    allowInsecureHttp: true,
    random: () => 0,
    ...options,
  })
  return receiver
}

const json =
  (status: number, body: unknown): PushAnswer =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(body))

const bodiesOf = (line: string): readonly TestRequest['body'][] =>
  transmitter.requests.filter((one) => one.line === line).map(({ body }) => body)

const lines = (): readonly string[] => transmitter.requests.map(({ line }) => line)

/** A stream as this Transmitter would show it. */
const stream = (more: object = {}): object => ({
  stream_id: 'other',
  iss: transmitter.issuer,
  aud: 'app',
  events_requested: [],
  events_delivered: [],
  delivery: { method: push, endpoint_url: 'https://other.example/signals' },
  ...more,
})

describe('finding or making the stream', () => {
  it('SSF-8.1.1.1-1: reads first, then creates, with what is Receiver-Supplied alone and no null', async () => {
    await make({ push: { url: 'http://127.0.0.1:9/signals', authorizationHeader: 'x' } }).start()
    expect(lines().indexOf('GET /streams')).toBeLessThan(lines().indexOf('POST /streams'))
    expect(bodiesOf('POST /streams')).toEqual([
      {
        events_requested: [SessionRevoked.uri],
        delivery: {
          method: push,
          endpoint_url: 'http://127.0.0.1:9/signals',
          authorization_header: 'x',
        },
      },
    ])
  })

  it('takes the stream that is there, and changes only what differs', async () => {
    await make().start()
    await receiver.stop()
    await make().start()
    expect(bodiesOf('POST /streams')).toHaveLength(1)
    expect(bodiesOf('PATCH /streams')).toEqual([])
    await receiver.stop()
    await make({ events: [CredentialChange] }).start()
    const { stream_id } = receiver.stream ?? {}
    expect(bodiesOf('PATCH /streams')).toEqual([
      { stream_id, events_requested: [CredentialChange.uri] },
    ])
    expect(receiver.stream?.events_requested).toEqual([CredentialChange.uri])
  })

  it("a stream that is somebody else's is left alone; 409 says what can be done", async () => {
    transmitter.next('GET /streams', json(200, [stream()]))
    transmitter.next('POST /streams', answerStatus(409))
    await expect(make().start()).rejects.toThrow('"replaceOnConflict: true"')
    expect(lines().filter((line) => /^(PUT|PATCH|DELETE)/.test(line))).toEqual([])
  })

  it('replaces the only stream that is allowed where that is written, and no other', async () => {
    transmitter.next('GET /streams', json(200, [stream()]))
    transmitter.next('POST /streams', answerStatus(409))
    transmitter.next('PUT /streams', json(200, stream({ stream_id: 'other' })))
    transmitter.always('POST /verify', answerStatus(204))
    await make({ replaceOnConflict: true }).start()
    expect(bodiesOf('PUT /streams')).toMatchObject([
      { stream_id: 'other', delivery: { endpoint_url: 'http://127.0.0.1:9/signals' } },
    ])
    await receiver.stop()
    transmitter.next('GET /streams', json(200, [stream(), stream({ stream_id: 'third' })]))
    transmitter.next('POST /streams', answerStatus(409))
    await expect(make({ replaceOnConflict: true }).start()).rejects.toThrow('409')
    expect(bodiesOf('PUT /streams')).toHaveLength(1)
  })

  it('a created stream of another issuer ends the acquaintance: a DELETE, and nothing else', async () => {
    transmitter.next('POST /streams', json(201, stream({ iss: 'https://evil.example' })))
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
    expect(lines().slice(lines().indexOf('POST /streams'))).toEqual([
      'POST /streams',
      'DELETE /streams',
    ])
  })

  it('SSF-8.1.1.3-12: an update that is accepted and not done yet (202) is read again', async () => {
    await make().start()
    await receiver.stop()
    transmitter.next('PATCH /streams', answerStatus(202))
    await make({ events: [CredentialChange] }).start()
    expect(receiver.stream?.stream_id).toBe('stream-1')
  })

  it('a poll stream whose URL is told once only goes on to be polled there', async () => {
    const own = {
      stream_id: 's',
      delivery: { method: poll, endpoint_url: `${transmitter.issuer}/poll/s` },
    }
    transmitter.next('GET /streams', json(200, [stream(own)]))
    transmitter.next(
      'PATCH /streams',
      json(200, stream({ stream_id: 's', delivery: { method: poll } })),
    )
    transmitter.always('POST /verify', answerStatus(204))
    receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      events: [SessionRevoked],
      allowInsecureHttp: true,
    })
    await receiver.start()
    await transmitter.requested('POST /poll/s')
  })

  it('SSF-8.1.1.1.1-1: a stream for another audience is told of, and one for this Receiver among others is not', async () => {
    const notices: string[] = []
    make({ audience: 'https://other.example' })
    receiver.events.on('stream:noticed', ({ notice }) => void notices.push(notice.name))
    await receiver.start()
    expect(notices).toEqual(['other-audience'])
    await receiver.stop()
    make()
    receiver.events.on('stream:noticed', ({ notice }) => void notices.push(notice.name))
    await receiver.start()
    expect(notices).toEqual(['other-audience'])
  })

  it('COMPAT-1-14: takes 200 for a created stream, a deleted one and a verification', async () => {
    const url = 'http://127.0.0.1:9/signals'
    const own = { stream_id: 's', delivery: { method: push, endpoint_url: url } }
    transmitter.next('POST /streams', json(200, stream(own)))
    transmitter.next('POST /verify', answerStatus(200))
    await make().start()
    transmitter.next('DELETE /streams', answerStatus(200))
    expect(await receiver.ownStream?.delete()).toBe(true)
  })

  it('management requests go one at a time', async () => {
    await make().start()
    let underWay = 0
    let most = 0
    transmitter.always('POST /subjects:add', (response) => {
      most = Math.max(most, ++underWay)
      setImmediate(() => {
        underWay--
        response.writeHead(200).end()
      })
    })
    await Promise.all(
      Array.from(
        { length: 8 },
        (_, index) =>
          receiver.ownStream?.addSubject(opaque(`${index}`)) ??
          Promise.reject(new Error('no stream')),
      ),
    )
    expect(most).toBe(1)
    expect(bodiesOf('POST /subjects:add').map(({ subject }) => subject)).toEqual(
      Array.from({ length: 8 }, (_, index) => opaque(`${index}`)),
    )
  })

  it('a status that the Transmitter cannot decide yet (202) is undefined, one that is no status an error', async () => {
    await make().start()
    transmitter.next('POST /status', answerStatus(202))
    expect(await receiver.ownStream?.updateStatus({ status: 'paused' })).toBeUndefined()
    transmitter.next('GET /status', json(200, { status: 'melted' }))
    await expect(receiver.ownStream?.readStatus()).rejects.toThrow('"status"')
    transmitter.next('GET /status', json(200, { status: 'enabled' }))
    expect(await receiver.ownStream?.readStatus()).toEqual({
      stream_id: 'stream-1',
      status: 'enabled',
    })
  })

  it('SSF-8.1.4.1-5: a state holds for its stream and for a day', async () => {
    let now = Date.now()
    const clock = {
      now: () => now,
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve())),
    }
    transmitter.always('POST /verify', answerStatus(204))
    await make({ clock }).start()
    const { state, stream_id } = bodiesOf('POST /verify')[0] ?? {}
    const verification = (id: unknown): Promise<Response> =>
      receiver.fetch(
        new Request('http://127.0.0.1:9/signals', {
          method: 'POST',
          headers: { 'content-type': 'application/secevent+jwt' },
          body: transmitter.sign({
            type: 'https://schemas.openid.net/secevent/ssf/event-type/verification',
            payload: { state },
            subject: opaque(String(id)),
          }),
        }),
      )
    expect((await verification('another')).status).toBe(400)
    expect((await verification(stream_id)).status).toBe(202)
    now += 25 * 3_600_000
    expect(await (await verification(stream_id)).json()).toMatchObject({ err: 'invalid_state' })
  })
})
