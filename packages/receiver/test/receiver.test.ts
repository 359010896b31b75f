import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Clock } from '@drawbridge/core'
import { type SecurityEvent } from '@drawbridge/schema'
import { CredentialChange } from '@drawbridge/schema/caep'
import { generateKeyPair } from 'jose'
import {
  createReceiver,
  memoryInbox,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import {
  fakeTransmitter,
  sessionRevoked,
  type FakeTransmitter,
} from './support/fake-transmitter.ts'

let transmitter: FakeTransmitter
let receiver: Receiver | undefined
let server: Server

beforeEach(async () => {
  transmitter = await fakeTransmitter()
  server = createServer((request, response) => {
    if (receiver) toNode(receiver)(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  await receiver?.stop()
  receiver = undefined
  await transmitter.close()
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
})

const pushUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/signals`

function make(options: Partial<ReceiverOptions> = {}): Receiver {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    allowInsecureHttp: true,
    ...options,
  })
  return receiver
}

const makePush = (options: Partial<ReceiverOptions> = {}): Receiver =>
  make({ push: { url: pushUrl() }, ...options })

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(pushUrl(), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/secevent+jwt', ...headers },
  })

/** What the watch over a stream sleeps: a clock that never sleeps would make it spin. */
const watchMs = 600_000
const now = Date.now()

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))

function next<Name extends Parameters<Receiver['events']['once']>[0]>(
  name: Name,
): Promise<unknown> {
  return new Promise((resolve) => receiver?.events.once(name, resolve))
}

describe('push', () => {
  it('PUSH-2.2-1 PUSH-2.2-2: a valid SET is answered 202 with an empty body, after its hook is done', async () => {
    const order: string[] = []
    makePush().onSessionTermination(async ({ subject, cause }) => {
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${(subject as { sub?: string }).sub} ${cause.type === sessionRevoked}`)
    })
    const response = await post(await transmitter.sign())
    order.push(String(response.status))
    expect(await response.text()).toBe('')
    expect(order).toEqual(['alice true', '202'])
  })

  it('PUSH-2-7: a repeated SET is answered like the first and handled once', async () => {
    let calls = 0
    makePush().handle('*', () => void calls++)
    const token = await transmitter.sign()
    const [one, two] = await Promise.all([post(token), post(token)])
    const three = await post(token)
    expect([one.status, two.status, three.status]).toEqual([202, 202, 202])
    expect(calls).toBe(1)
  })

  it('PUSH-2-7: repetitions of a SET that is being handled share its outcome, also a failure', async () => {
    let calls = 0
    let fail = (_error: Error): void => undefined
    makePush().handle('*', () => {
      calls++
      return new Promise((_resolve, reject) => (fail = reject))
    })
    const token = await transmitter.sign()
    const first = post(token)
    await next('set:verified')
    const arrived = new Promise((resolve) => server.once('request', resolve))
    const second = post(token)
    await arrived
    // The second is verified by then: it takes no longer than this one, which is refused.
    expect((await post(await transmitter.sign({ claims: { aud: 'other' } }))).status).toBe(400)
    fail(new Error('not now'))
    expect([(await first).status, (await second).status, calls]).toEqual([503, 503, 1])
  })

  it('hooks get the same idempotency key when a SET comes again', async () => {
    const keys: string[] = []
    makePush().handle('*', (_event, { key }) => {
      keys.push(key)
      if (keys.length === 1) throw new Error('not now')
    })
    const token = await transmitter.sign()
    expect((await post(token)).status).toBe(503)
    expect((await post(token)).status).toBe(202)
    expect(keys[0]).toBe(keys[1])
  })

  it('a handler that takes too long leaves the SET unacknowledged', async () => {
    makePush({ handlerTimeoutMs: 20 }).handle('*', () => new Promise(() => undefined))
    const response = await post(await transmitter.sign())
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
  })

  it('SSF-4.2.3-2 PUSH-3-3: unknown members and unknown event types are acknowledged', async () => {
    makePush()
    const events = { 'https://example.com/unknown': { a: 1 } }
    expect((await post(await transmitter.sign({ claims: { events, extra: 1 } }))).status).toBe(202)
  })

  describe('what does not hold is refused and ends nothing', () => {
    let ended = 0
    beforeEach(() => {
      ended = 0
      makePush().onSessionTermination(() => void ended++)
    })
    const refused = async (token: string): Promise<unknown> => {
      const response = await post(token)
      expect(response.status).toBe(400)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('content-language')).toBe('en')
      expect(ended).toBe(0)
      const body = (await response.json()) as { err: string; description: string }
      expect(typeof body.description).toBe('string')
      return body.err
    }

    it('PUSH-2.4-2: a wrong signature is invalid_key', async () => {
      const { privateKey } = await generateKeyPair('ES256')
      expect(await refused(await transmitter.sign({ key: privateKey }))).toBe('invalid_key')
    })
    it('JOSE-7515.4.1.4-1: an unknown kid is invalid_key', async () => {
      expect(await refused(await transmitter.sign({ header: { kid: 'other' } }))).toBe(
        'invalid_key',
      )
    })
    it('PUSH-2.4-3 SSF-4.1.6-2: a foreign issuer is invalid_issuer', async () => {
      const claims = { iss: 'https://elsewhere.example' }
      expect(await refused(await transmitter.sign({ claims }))).toBe('invalid_issuer')
    })
    it('PUSH-2.4-4 GAP-19: a foreign audience, and none, is invalid_audience', async () => {
      expect(await refused(await transmitter.sign({ claims: { aud: 'other' } }))).toBe(
        'invalid_audience',
      )
      expect(await refused(await transmitter.sign({ claims: { aud: undefined } }))).toBe(
        'invalid_audience',
      )
    })
    it('SSF-4.1.1-2: a typ that is not secevent+jwt is invalid_request', async () => {
      expect(await refused(await transmitter.sign({ header: { typ: 'JWT' } }))).toBe(
        'invalid_request',
      )
      expect(await refused(await transmitter.sign({ header: { typ: undefined } }))).toBe(
        'invalid_request',
      )
    })
    it('SSF-4.1.2-1 SSF-4.1.7-1: sub and exp are invalid_request', async () => {
      expect(await refused(await transmitter.sign({ claims: { sub: 'alice' } }))).toBe(
        'invalid_request',
      )
      expect(await refused(await transmitter.sign({ claims: { exp: 4e9 } }))).toBe(
        'invalid_request',
      )
    })
    it('JOSE-8725.3.2-1: alg none is refused', async () => {
      const [, payload] = (await transmitter.sign()).split('.')
      const header = Buffer.from('{"alg":"none","typ":"secevent+jwt"}').toString('base64url')
      expect(await refused(`${header}.${payload}.`)).toMatch(/^invalid_(key|request)$/)
    })
    it('PUSH-2.4-1: garbage, and a payload that does not fit its definition, is invalid_request', async () => {
      expect(await refused('garbage')).toBe('invalid_request')
      expect(await refused('a.b.c')).toBe('invalid_request')
      const events = { [CredentialChange.uri]: { change_type: 'melted' } }
      expect(await refused(await transmitter.sign({ claims: { events } }))).toBe('invalid_request')
    })
    it('SSF-8.1.4.1-6: a verification with a state nobody asked for is invalid_state', async () => {
      const uri = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
      const claims = { sub_id: { format: 'opaque', id: 's1' }, events: { [uri]: { state: 'x' } } }
      expect(await refused(await transmitter.sign({ claims }))).toBe('invalid_state')
    })
  })

  it('SSF-4.1.1-2: application/secevent+jwt in any case is the same typ', async () => {
    makePush()
    const header = { typ: 'Application/SecEvent+JWT' }
    expect((await post(await transmitter.sign({ header }))).status).toBe(202)
  })

  it('PUSH-2.4-5: a wrong Authorization field is authentication_failed', async () => {
    makePush({ push: { url: pushUrl(), authorizationHeader: 'Bearer right' } })
    const token = await transmitter.sign()
    const wrong = await post(token, { authorization: 'Bearer wrong' })
    expect([wrong.status, await wrong.json()]).toMatchObject([
      400,
      { err: 'authentication_failed' },
    ])
    expect((await post(token, { authorization: 'Bearer right' })).status).toBe(202)
  })

  it('SET-5.4-1: a SET from a clock that is ahead counts as of now, and is not refused', async () => {
    const times: number[] = []
    makePush().handle('*', ({ time, notices }) => {
      times.push(time)
      expect(notices.map(({ name }) => name)).toContain('issued-in-future')
    })
    const now = Math.floor(Date.now() / 1000)
    expect((await post(await transmitter.sign({ claims: { iat: now + 3600 } }))).status).toBe(202)
    expect(times[0]).toBeGreaterThanOrEqual(now)
    expect(times[0]).toBeLessThan(now + 60)
  })

  it('JOSE-7519.4.1.5-1: a SET is refused before its nbf', async () => {
    makePush()
    const nbf = Math.floor(Date.now() / 1000) + 3600
    expect((await post(await transmitter.sign({ claims: { nbf } }))).status).toBe(400)
  })

  it('keys that cannot be had just now are 503, and the same SET is taken later', async () => {
    makePush()
    transmitter.answerNext('GET /jwks', 500)
    const token = await transmitter.sign()
    expect((await post(token)).status).toBe(503)
    expect((await post(token)).status).toBe(202)
  })

  it('an inbox that cannot be read leaves the SET unacknowledged', async () => {
    const broken = { ...memoryInbox(), read: () => Promise.reject(new Error('gone')) }
    makePush({ inbox: broken })
    expect((await post(await transmitter.sign())).status).toBe(503)
  })

  it('a body that is too large is 413, of another media type 415, another method 405', async () => {
    makePush()
    expect((await post('x'.repeat(70_000))).status).toBe(413)
    expect((await post('{}', { 'content-type': 'application/json' })).status).toBe(415)
    const get = await fetch(pushUrl())
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('a stopped receiver answers 503 with Retry-After', async () => {
    await makePush().stop()
    const response = await post(await transmitter.sign())
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  })

  it('events about one principal are handled in order, others do not wait', async () => {
    const log: string[] = []
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    makePush().handle('*', async (event: SecurityEvent) => {
      const { sub } = event.subject as { sub: string }
      log.push(`start ${sub} ${event.txn}`)
      if (event.txn === 'slow') await gate
      log.push(`end ${sub} ${event.txn}`)
      if (sub === 'bob') release()
    })
    const about = (sub: string, txn: string): Promise<string> =>
      transmitter.sign({ claims: { txn, sub_id: { format: 'iss_sub', iss: 'i', sub } } })
    const tokens = [
      await about('alice', 'slow'),
      await about('alice', 'second'),
      await about('bob', 'other'),
    ]
    const first = post(tokens[0] ?? '')
    await next('set:verified')
    const second = post(tokens[1] ?? '')
    const other = post(tokens[2] ?? '')
    await Promise.all([first, second, other])
    expect(log.indexOf('start alice second')).toBeGreaterThan(log.indexOf('end alice slow'))
    expect(log.indexOf('end bob other')).toBeLessThan(log.indexOf('end alice slow'))
  })
})

describe('start', () => {
  it('SSF-8.1.1.1-1: creates the stream it wants, with the token, and is verified over it', async () => {
    makePush({ push: { url: pushUrl(), authorizationHeader: 'Bearer p' } })
    receiver?.events.on('set:rejected', () => undefined)
    await receiver?.start().catch(() => undefined)
    const create = transmitter.requests.find(({ line }) => line === 'POST /streams')
    expect(create?.headers.authorization).toBe('Bearer token')
    expect(create?.body).toMatchObject({
      delivery: {
        method: 'urn:ietf:rfc:8935',
        endpoint_url: pushUrl(),
        authorization_header: 'Bearer p',
      },
    })
    expect(
      (create?.body as { events_requested?: string[] } | undefined)?.events_requested,
    ).toContain(sessionRevoked)
  })

  it('resolves verified() when the verification event came back', async () => {
    await makePush().start()
    await receiver?.verified()
    await receiver?.verified()
  })

  it('finds its stream again and updates the event types only where they differ', async () => {
    await makePush().start()
    await receiver?.stop()
    await makePush({ events: [CredentialChange] }).start()
    const lines = transmitter.requests.map(({ line }) => line)
    expect(lines.filter((line) => line === 'POST /streams')).toHaveLength(1)
    expect(lines.filter((line) => line === 'PATCH /streams')).toHaveLength(1)
    expect(receiver?.stream?.events_requested).toEqual([CredentialChange.uri])
  })

  it('sends a changed Authorization header of the push endpoint to the stream that is there', async () => {
    await makePush({ push: { url: pushUrl(), authorizationHeader: 'Bearer old' } }).start()
    await receiver?.stop()
    await makePush({ push: { url: pushUrl(), authorizationHeader: 'Bearer new' } }).start()
    const [update] = transmitter.requests.filter(({ line }) => line === 'PATCH /streams')
    expect(update?.body).toEqual({
      stream_id: receiver?.stream?.stream_id,
      delivery: expect.objectContaining({ authorization_header: 'Bearer new' }),
    })
  })

  it('SSF-7.2.4-2: metadata of another issuer is refused', async () => {
    transmitter.answerNext('GET /.well-known/ssf-configuration', 200, {
      issuer: 'https://evil.example',
    })
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it('SSF-8.1.1.1-3: a stream of another issuer is refused', async () => {
    transmitter.answerNext('POST /streams', 201, { stream_id: 's', iss: 'https://evil.example' })
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it('follows no redirect: the token and the metadata are for one origin', async () => {
    const location = `${transmitter.issuer}/.well-known/elsewhere`
    const line = 'GET /.well-known/elsewhere'
    const metadata = {
      issuer: transmitter.issuer,
      jwks_uri: `${transmitter.issuer}/jwks`,
      configuration_endpoint: `${transmitter.issuer}/streams`,
    }
    transmitter.answerNext('GET /.well-known/ssf-configuration', 302, {}, { location })
    transmitter.answerNext(line, 200, metadata)
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(transmitter.requests.map((request) => request.line)).not.toContain(line)
  })

  it('never sends the token to another origin', async () => {
    transmitter.answerNext('GET /.well-known/ssf-configuration', 200, {
      issuer: transmitter.issuer,
      jwks_uri: `${transmitter.issuer}/jwks`,
      configuration_endpoint: 'http://localhost:1/streams',
    })
    await expect(make().start()).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
  })

  it('tries again while the Transmitter is not there, and says so', async () => {
    transmitter.answerNext('GET /.well-known/ssf-configuration', 503)
    const failed = new Promise((resolve) =>
      make({ random: () => 0 }).events.once('peer:failed', resolve),
    )
    await receiver?.start()
    expect(await failed).toMatchObject({ retryInMs: 100 })
    expect(receiver?.stream).toBeDefined()
  })

  it('SSF-8.1.1-16: takes SETs while a verification has to wait, and asks for it again', async () => {
    transmitter.answerNext('POST /verify', 429, {}, { 'retry-after': '3600' })
    let goOn = (): void => undefined
    let isWaiting = (): void => undefined
    const waiting = new Promise<void>((resolve) => (isWaiting = resolve))
    const clock: Clock = {
      now: () => now,
      sleep: async (ms, signal) => {
        if (ms === watchMs) return await aborted(signal)
        if (ms !== 3_600_000) return
        isWaiting()
        await new Promise<void>((resolve) => (goOn = resolve))
      },
    }
    const handled = new Promise<string>((resolve) =>
      make({ clock }).handle('*', ({ jti }) => resolve(jti)),
    )
    const started = receiver?.start()
    transmitter.offer('early', await transmitter.sign({ claims: { jti: 'early' } }))
    expect(await handled).toBe('early')
    await waiting
    goOn()
    await started
    await receiver?.verified()
    const creations = transmitter.requests.filter(({ line }) => line === 'POST /streams')
    expect(creations).toHaveLength(1)
  })

  it('OAUTH-6749.5.1-1: asks for another token after a 401, once', async () => {
    const asked: (string | undefined)[] = []
    transmitter.answerNext('GET /streams', 401)
    await make({
      authorize: ({ rejected }) => {
        asked.push(rejected)
        return rejected === undefined ? 'old' : 'new'
      },
    }).start()
    expect(asked.filter((token) => token !== undefined)).toEqual(['old'])
  })

  it('names every mistake in the options at once', () => {
    const wrong = { issuer: 'http://idp.example', audience: '', authorize: 'token', typo: 1 }
    expect(() => createReceiver(wrong as unknown as ReceiverOptions)).toThrow(
      /"typo".*"issuer".*"audience".*"authorize"/,
    )
  })
})

describe('poll', () => {
  it('POLL-2.4.3-1: acknowledges what was handled with the next poll', async () => {
    const handled = new Promise<string>((resolve) => make().handle('*', ({ jti }) => resolve(jti)))
    await receiver?.start()
    await receiver?.verified()
    transmitter.offer('j1', await transmitter.sign({ claims: { jti: 'j1' } }))
    expect(await handled).toBe('j1')
    const ackOf = (body: Record<string, unknown>): string[] =>
      (body['ack'] as string[] | undefined) ?? []
    await transmitter.requested('POST /poll', (body) => ackOf(body).includes('j1'))
  })

  it('POLL-2.4.1-1: the first poll acknowledges nothing', async () => {
    await make().start()
    expect(await transmitter.requested('POST /poll')).not.toHaveProperty('ack')
  })

  it('POLL-2.2-11 POLL-2.6-2: what does not hold is in setErrs, with Content-Language, never in ack', async () => {
    await make().start()
    transmitter.offer('bad', await transmitter.sign({ claims: { jti: 'bad', aud: 'other' } }))
    const body = await transmitter.requested('POST /poll', (one) => 'setErrs' in one)
    expect(body['setErrs']).toMatchObject({ bad: { err: 'invalid_audience' } })
    expect(body['ack'] ?? []).not.toContain('bad')
    const { headers } = transmitter.requests.find((one) => one.body === body) ?? {}
    expect(headers?.['content-language']).toBe('en')
  })

  it('POLL-2.3-2: a SET under a foreign key is reported', async () => {
    await make().start()
    transmitter.offer('x', await transmitter.sign({ claims: { jti: 'y' } }))
    const body = await transmitter.requested('POST /poll', (one) => 'setErrs' in one)
    expect(body['setErrs']).toMatchObject({ x: { err: 'invalid_request' } })
  })

  it('a SET whose handler fails is in neither list, and is handled when it is offered again, not at once', async () => {
    let calls = 0
    const waits: number[] = []
    let time = now
    const clock: Clock = {
      now: () => time,
      sleep: (ms, signal) => {
        if (ms === watchMs) return aborted(signal)
        waits.push(ms)
        time += ms
        return Promise.resolve()
      },
    }
    const done = new Promise<void>((resolve) => {
      make({ clock, random: () => 0 }).handle('*', () => {
        if (++calls === 1) throw new Error('not now')
        resolve()
      })
    })
    await receiver?.start()
    transmitter.offer('again', await transmitter.sign({ claims: { jti: 'again' } }))
    await done
    expect([calls, waits.includes(100)]).toEqual([2, true])
    const silent = ({ ack = [], setErrs = {} }: Record<string, string[] | object>): boolean =>
      !(ack as string[]).includes('again') && !('again' in setErrs)
    const polls = transmitter.requests.filter(({ line }) => line === 'POST /poll')
    expect(polls.every(({ body }) => silent(body as Record<string, object>))).toBe(true)
  })

  it('nothing that the peer answers ends the loop', async () => {
    const done = new Promise<void>((resolve) =>
      make({ random: () => 0 }).handle('*', () => resolve()),
    )
    for (const [status, body] of [
      [500],
      [404],
      [200, 'text'],
      [200, { sets: [] }],
      [204],
    ] as const) {
      transmitter.answerNext('POST /poll', status, body)
    }
    transmitter.answerNext('POST /poll', 200, { sets: { z: 5 } })
    transmitter.offer('fine', await transmitter.sign({ claims: { jti: 'fine' } }))
    await receiver?.start()
    await done
  })

  it('POLL-2.4.2-1: stop acknowledges at once what was handled', async () => {
    let stopping: Promise<void> | undefined
    const instance = make()
    instance.handle('*', () => {
      stopping = instance.stop()
    })
    await instance.start()
    transmitter.offer('last', await transmitter.sign({ claims: { jti: 'last' } }))
    const body = await transmitter.requested('POST /poll', (one) => one['maxEvents'] === 0)
    expect(body).toMatchObject({ returnImmediately: true })
    expect(body['ack']).toContain('last')
    await stopping
  })
})
