import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import {
  createReceiver,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { opaque } from '@drawbridge/schema'
import { Verification } from '@drawbridge/schema/ssf'
import { createTestTransmitter, type PushAnswer, type TestTransmitter } from '@drawbridge/testkit'

let transmitter: TestTransmitter
let receiver: Receiver

const json =
  (body: unknown): PushAnswer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

beforeEach(async () => {
  transmitter = await createTestTransmitter({ audience: 'app' })
  // Metadata without a management API, as of a Transmitter whose streams are made in its console.
  const { issuer } = transmitter
  transmitter.always(
    'GET /.well-known/ssf-configuration',
    json({ issuer, jwks_uri: `${issuer}/jwks` }),
  )
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

const lines = (): readonly string[] => transmitter.requests.map(({ line }) => line)

const make = (options: Partial<ReceiverOptions>): Receiver => {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    managed: false,
    allowInsecureHttp: true,
    ...options,
  })
  return receiver
}
const makePush = (options: Partial<ReceiverOptions> = {}): Receiver =>
  make({ push: { url: 'http://127.0.0.1/signals' }, ...options })

const post = (body: string): Promise<Response> =>
  receiver.fetch(
    new Request('http://127.0.0.1/signals', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/secevent+jwt' },
    }),
  )

describe('a stream that is not managed', () => {
  it('is pushed: nothing is asked of the Transmitter but metadata and keys, and no token is needed', async () => {
    const handled: string[] = []
    makePush().handle('*', ({ jti }) => void handled.push(jti))
    await receiver.start()
    await receiver.verified()
    expect((await post(transmitter.sign({ claims: { jti: 'one' } }))).status).toBe(202)
    expect(handled).toEqual(['one'])
    expect([receiver.stream, receiver.ownStream]).toEqual([undefined, undefined])
    expect(await receiver.health()).toMatchObject({ status: 'ok', isReady: true })
    expect(receiver.transmitters.list()).toMatchObject([{ isManaged: false, isSilent: false }])
    expect(lines()).toEqual(['GET /.well-known/ssf-configuration', 'GET /jwks'])
  })

  it('takes a Verification event that the Transmitter sends by itself, only over the stream with its name', async () => {
    makePush({ streamId: 'mine' })
    const verification = (id: string, payload = {}): Promise<Response> =>
      post(transmitter.sign({ type: Verification.uri, payload, subject: opaque(id) }))
    expect((await verification('mine')).status).toBe(202)
    const other = await verification('another')
    expect([other.status, await other.json()]).toMatchObject([400, { err: 'invalid_state' }])
    expect((await verification('mine', { state: 'never asked for' })).status).toBe(400)
  })

  it('without a name takes one over any', async () => {
    makePush()
    const set = transmitter.sign({ type: Verification.uri, subject: opaque('whatever') })
    expect((await post(set)).status).toBe(202)
  })

  it('is polled where the settings say, with the token', async () => {
    const handled = new Promise<string>((resolve) =>
      make({
        authorize: staticToken('token'),
        poll: { endpointUrl: `${transmitter.issuer}/agreed` },
      }).handle('*', ({ jti }) => resolve(jti)),
    )
    transmitter.next(
      'POST /agreed',
      json({ sets: { one: transmitter.sign({ claims: { jti: 'one' } }) } }),
    )
    await receiver.start()
    expect(await handled).toBe('one')
    const acknowledged = await transmitter.requested('POST /agreed', ({ body }) => 'ack' in body)
    expect(acknowledged.body['ack']).toEqual(['one'])
    expect(acknowledged.headers.authorization).toBe('Bearer token')
    expect(lines().filter((line) => !['GET /jwks', 'POST /agreed'].includes(line))).toEqual([
      'GET /.well-known/ssf-configuration',
    ])
  })

  it('is never silent, unless the settings say after how long: nobody can be asked for a sign of life', async () => {
    const sleeps = new Set<number>()
    const clock: Clock = {
      now: systemClock.now,
      sleep: (ms, signal) => {
        sleeps.add(ms)
        return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
      },
    }
    makePush({ clock, verifyEverySeconds: 0 })
    await receiver.start()
    expect([...sleeps]).toEqual([Infinity])
    await receiver.stop()
    sleeps.clear()
    makePush({ clock: { ...clock, now: () => 0 }, verifyEverySeconds: 0, silentAfterSeconds: 60 })
    await receiver.start()
    expect([...sleeps]).toEqual([60_000])
  })

  it('still has to be of the right issuer', async () => {
    transmitter.always(
      'GET /.well-known/ssf-configuration',
      json({ issuer: 'https://evil.example' }),
    )
    await expect(makePush().start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it('is never asked for where the streams are managed: then the API must be there', async () => {
    makePush({ managed: true, authorize: staticToken('token') })
    await expect(receiver.start()).rejects.toThrow('"configuration_endpoint" is missing')
  })
})

describe('settings that contradict each other', () => {
  const url = 'https://app.example/signals'
  const authorize = staticToken('token')
  it.each<[string, Partial<ReceiverOptions>]>([
    [
      '"streamId" and "poll" are for streams that are not managed',
      { managed: true, authorize, streamId: 'one' },
    ],
    ['"streamId" and "poll" are for', { managed: true, authorize, poll: { endpointUrl: url } }],
    ['either "push" or "poll" must be given', { authorize }],
    [
      'either "push" or "poll" must be given',
      { authorize, push: { url }, poll: { endpointUrl: url } },
    ],
    [
      '"replaceOnConflict" is for streams that are managed',
      { push: { url }, replaceOnConflict: true },
    ],
    [
      '"poll.endpointUrl" must be at the origin of "issuer"',
      { authorize, poll: { endpointUrl: url } },
    ],
    ['"poll.endpointUrl" must be', { authorize, poll: { endpointUrl: 'nonsense' } }],
    [
      '"authorize" must be',
      { poll: { endpointUrl: url }, trustedOrigins: ['https://app.example'] },
    ],
    ['"authorize" must be', { managed: true, push: { url } }],
    ['"managed" must be true or false', { managed: 'no' as unknown as boolean, push: { url } }],
    ['"streamId" must be', { streamId: '', push: { url } }],
  ])('%s', (message, options) => {
    makePush()
    expect(() => make(options)).toThrow(message)
  })

  it('do not where the origin of the poll endpoint is trusted', () => {
    make({ authorize, poll: { endpointUrl: url }, trustedOrigins: ['https://app.example'] })
  })
})
