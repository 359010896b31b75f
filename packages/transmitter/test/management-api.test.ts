import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '@drawbridge/core'
import { poll as pollMethod, push } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import type { Transmitter, TransmitterOptions } from '../src/index.ts'
import {
  call,
  claimsOf,
  createStream,
  issuer,
  makeTransmitter,
  nextEvent,
  poll,
  pushEndpoint,
  pushTo,
  serve,
  user,
  type CallOptions,
} from './support.ts'

let transmitter: Transmitter
const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
  transmitter = makeTransmitter(options)
  await transmitter.start()
}
const ask = (route: string, options?: CallOptions): Promise<Response> =>
  call(transmitter, route, options)
const status = async (route: string, options?: CallOptions): Promise<number> =>
  (await ask(route, options)).status

beforeEach(() => start())
afterEach(() => transmitter.stop())

/** Every route with a body that is good, for a stream that is not there. */
const protectedRoutes: readonly [route: string, body: object | undefined][] = [
  ['POST /streams', {}],
  ['GET /streams', undefined],
  ['PATCH /streams', { stream_id: 'x' }],
  ['PUT /streams', { stream_id: 'x', delivery: { method: 'urn:ietf:rfc:8936' } }],
  ['DELETE /streams?stream_id=x', undefined],
  ['GET /status?stream_id=x', undefined],
  ['POST /status', { stream_id: 'x', status: 'enabled' }],
  ['POST /verify', { stream_id: 'x' }],
  ['POST /poll/x', {}],
]

describe('metadata and keys', () => {
  it('SSF-7.2-2, SSF-7.2.3-1, SSF-8-1: has the metadata between host and path, whatever Accept says', async () => {
    const url = 'https://idp.example/.well-known/ssf-configuration/tenant'
    const answer = await ask(`GET ${url}`, { token: null, headers: { accept: 'text/html' } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual({
      issuer,
      spec_version: '1_0',
      jwks_uri: `${issuer}/ssf/jwks`,
      delivery_methods_supported: [push, pollMethod],
      configuration_endpoint: `${issuer}/ssf/streams`,
      status_endpoint: `${issuer}/ssf/status`,
      add_subject_endpoint: `${issuer}/ssf/subjects:add`,
      remove_subject_endpoint: `${issuer}/ssf/subjects:remove`,
      verification_endpoint: `${issuer}/ssf/verify`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
      default_subjects: 'ALL',
    })
  })

  it.each([
    ['RS256', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
    ['ES256', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
  ] as const)('publishes %s keys without private members', async (algorithm, members) => {
    await transmitter.stop()
    await start({ algorithm })
    const answer = await ask('GET /jwks', { token: null })
    const { keys } = (await answer.json()) as { keys: { n?: string }[] }
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([members])
    if (algorithm === 'RS256') {
      expect(Buffer.from(keys[0]?.n ?? '', 'base64url')).toHaveLength(256)
    }
  })

  it('serves its own paths and no others', () => {
    const served = [
      '/.well-known/ssf-configuration/tenant',
      '/tenant/ssf/jwks',
      '/tenant/ssf/streams',
      '/tenant/ssf/status',
      '/tenant/ssf/verify',
      '/tenant/ssf/poll/abc',
    ]
    const others = ['/', '/tenant', '/ssf/streams', '/tenant/ssf/poll/a/b', '/tenant/ssf/poll/']
    expect(served.filter((path) => !transmitter.serves(path))).toEqual([])
    expect(others.filter((path) => transmitter.serves(path))).toEqual([])
  })

  it('answers 404 elsewhere and 405 with Allow for another method', async () => {
    expect(await status('GET /nowhere')).toBe(404)
    const answer = await ask('PUT /verify', { body: {} })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })

  it('answers 503 while it is not started', async () => {
    await transmitter.stop()
    expect(await status('GET /streams')).toBe(503)
    await transmitter.start()
    expect(await status('GET /streams')).toBe(200)
  })
})

describe('a Receiver that asks for no event types', () => {
  it.each([
    [{}, []],
    [{ eventsByDefault: 'all' }, [SessionRevoked.uri]],
  ] as const)('gets what the Transmitter says: %j', async (options, delivered) => {
    await transmitter.stop()
    await start({ ...options, eventsSupported: [SessionRevoked] })
    const created = await ask('POST /streams', { body: {} })
    const stream = (await created.json()) as Record<string, unknown>
    expect([created.status, stream['events_delivered']]).toEqual([201, delivered])
    expect(stream).not.toHaveProperty('events_requested')
    const { stream_id, delivery } = stream
    const body = { stream_id, events_requested: [], delivery: { method: pollMethod } }
    expect(await (await ask('PUT /streams', { body })).json()).toMatchObject({
      delivery,
      events_delivered: [],
    })
  })
})

describe('authorization', () => {
  it.each(protectedRoutes)(
    'OAUTH-6750.3-1: %s without a token is a bare challenge',
    async (route, body) => {
      const answer = await ask(route, { token: null, body })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    },
  )

  it.each(protectedRoutes)('OAUTH-6750.3.1-1: %s with an unknown token', async (route) => {
    for (const token of ['unknown', 'a:b', 'token-one x', '']) {
      // The body is not JSON: the token is judged before it.
      const body = route.startsWith('P') ? '{' : undefined
      const answer = await ask(route, {
        headers: { authorization: `Bearer ${token}` },
        token: null,
        body,
      })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer error="invalid_token"',
      ])
    }
  })

  it('refuses a token in the URL', async () => {
    expect(await status('GET /streams?access_token=token-one', { token: null })).toBe(401)
    await transmitter.stop()
    // Also where `authenticate` would look there.
    await start({ authenticate: () => ({ id: 'a', audience: 'a', scopes: ['ssf.read'] }) })
    expect(await status('GET /streams', { token: null })).toBe(200)
    expect(await status('GET /streams?access_token=x', { token: null })).toBe(401)
  })

  it('takes "bearer" in any case (OAUTH-6750.2.1-1)', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer']) {
      const headers = { authorization: `${scheme} token-one` }
      expect(await status('GET /streams', { token: null, headers })).toBe(200)
    }
  })

  it('CIOP-2.7.2-3: ssf.read alone changes nothing, judged before the body', async () => {
    for (const [route] of protectedRoutes) {
      const isRead = route.startsWith('GET')
      const body = route.startsWith('P') ? '{' : undefined
      const answer = await ask(route, { token: 'token-read', body })
      if (isRead) expect([200, 404]).toContain(answer.status)
      else {
        expect([route, answer.status]).toEqual([route, 403])
        expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
      }
    }
  })

  it('SSF-8-3: a Receiver sees no stream of another', async () => {
    const id = await createStream(transmitter)
    const token = 'token-two'
    const routes: [string, object?][] = [
      [`GET /streams?stream_id=${id}`],
      [`DELETE /streams?stream_id=${id}`],
      [`GET /status?stream_id=${id}`],
      ['POST /status', { stream_id: id, status: 'disabled' }],
      ['POST /verify', { stream_id: id }],
      [`POST /poll/${id}`, { returnImmediately: true }],
    ]
    for (const [route, body] of routes) {
      expect([route, await status(route, { token, body })]).toEqual([route, 404])
    }
    expect(await (await ask('GET /streams', { token })).json()).toEqual([])
    expect(await (await ask(`GET /status?stream_id=${id}`)).json()).toEqual({
      stream_id: id,
      status: 'enabled',
    })
  })

  it('answers 500, tells no secret and reports the cause when "authenticate" throws', async () => {
    await transmitter.stop()
    await start({ authenticate: () => Promise.reject(new Error('the database password is 1234')) })
    const causes: unknown[] = []
    transmitter.events.on('request:failed', ({ cause }) => causes.push(cause))
    const answer = await ask('GET /streams')
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('1234')
    expect(causes).toEqual([expect.objectContaining({ message: expect.stringContaining('1234') })])
  })
})

describe('bodies', () => {
  const posts = protectedRoutes.filter(([route]) => route.startsWith('POST'))

  it.each(posts)(
    'SSF-8.1.1.1-11: %s that cannot be parsed is 400 with err and description',
    async (route) => {
      for (const body of ['{', '', '[]', 'null', '"text"', '\u0000']) {
        const answer = await ask(route, { body })
        expect([body, answer.status]).toEqual([body, 400])
        expect(await answer.json()).toEqual({
          err: 'invalid_request',
          description: expect.any(String),
        })
        expect(answer.headers.get('cache-control')).toBe('no-store')
      }
    },
  )

  it('refuses a body beyond 64 KiB with 413, and text that is not UTF-8 with 400', async () => {
    expect(await status('POST /streams', { body: { description: 'x'.repeat(70_000) } })).toBe(413)
    const request = new Request(`${issuer}/ssf/streams`, {
      method: 'POST',
      headers: { authorization: 'Bearer token-one', 'content-type': 'application/json' },
      body: new Uint8Array([0x22, 0xff, 0x22]),
    })
    expect((await transmitter.fetch(request)).status).toBe(400)
  })

  it('refuses another media type with 415 and tolerates none', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await status('POST /streams', { body: '{}', headers })).toBe(415)
    const json = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect(await status('POST /streams', { body: '{}', headers: json })).toBe(201)
    const request = new Request(`${issuer}/ssf/streams`, {
      method: 'POST',
      headers: { authorization: 'Bearer token-one' },
      body: new TextEncoder().encode('{}'),
    })
    expect((await transmitter.fetch(request)).status).toBe(201)
  })
})

describe('streams', () => {
  it('SSF-8.1.1.1-2: creates a push stream and answers with all of it', async () => {
    const body = {
      ...pushTo('https://app.example/events', 'Bearer abc'),
      events_requested: ['https://unknown.example', CredentialChange.uri, SessionRevoked.uri],
      description: 'mine',
    }
    const answer = await ask('POST /streams', { body })
    expect(answer.status).toBe(201)
    const created = (await answer.json()) as { stream_id: string }
    expect(created).toEqual({
      stream_id: expect.stringMatching(/^[\w.~-]+$/),
      iss: issuer,
      aud: 'https://one.example',
      events_supported: expect.arrayContaining([SessionRevoked.uri]),
      events_delivered: [CredentialChange.uri, SessionRevoked.uri],
      ...body,
    })
    const read = await ask(`GET /streams?stream_id=${created.stream_id}`)
    expect(await read.json()).toEqual(created)
  })

  it('SSF-8.1.1.1-8, SSF-6.1.2-3: without "delivery" makes a poll stream with a URL of its own', async () => {
    const urls = new Set<string>()
    for (let count = 0; count < 2; count++) {
      const answer = await ask('POST /streams', { body: {} })
      const { delivery, events_delivered } = (await answer.json()) as {
        delivery: { method: string; endpoint_url: string }
        events_delivered: string[]
      }
      expect([delivery.method, events_delivered]).toEqual([pollMethod, []])
      urls.add(delivery.endpoint_url)
      expect(transmitter.serves(new URL(delivery.endpoint_url).pathname)).toBe(true)
    }
    expect(urls.size).toBe(2)
  })

  it('SSF-8.1.1.2-3, SSF-8.1.1.2-4: reads all as an array, [] when there are none', async () => {
    expect(await (await ask('GET /streams')).json()).toEqual([])
    const id = await createStream(transmitter)
    expect(await (await ask('GET /streams')).json()).toEqual([
      expect.objectContaining({ stream_id: id }),
    ])
    expect(await status('GET /streams?stream_id=unknown')).toBe(404)
    expect(await status('GET /streams?stream_id=')).toBe(404)
  })

  it('SSF-8.1.1.1-5: answers 409 to the second stream where there may be one', async () => {
    await transmitter.stop()
    await start({ multipleStreams: false })
    const answers = await Promise.all([1, 2, 3].map(() => status('POST /streams', { body: {} })))
    expect(answers.toSorted((a, b) => a - b)).toEqual([201, 409, 409])
    expect(await status('POST /streams', { body: {}, token: 'token-two' })).toBe(201)
  })

  it.each([
    ['an unknown method', { delivery: { method: 'urn:ietf:rfc:0' } }],
    ['push without an endpoint', { delivery: { method: push } }],
    ['a member of the Transmitter', { aud: 'https://x.example' }],
    ['credentials in the URL', pushTo('https://a:b@app.example')],
    ['a scheme that is not HTTP', pushTo('file:///etc/passwd')],
    ['a header with a line break', pushTo('https://app.example', 'a\r\nb: c')],
  ])('SSF-8.1.1.1-10: refuses %s with 400', async (_, body) => {
    expect(await status('POST /streams', { body })).toBe(400)
  })

  it('PUSH-2.1-1: refuses an http endpoint with 400 unless it is allowed by name', async () => {
    await transmitter.stop()
    await start({ allowInsecureHttp: false })
    expect(await status('POST /streams', { body: pushTo('http://app.example') })).toBe(400)
    expect(await status('POST /streams', { body: pushTo('https://app.example') })).toBe(201)
  })

  it('SSF-8.1.1.5-2: deletes a stream in every status, once', async () => {
    for (const wanted of ['enabled', 'paused', 'disabled']) {
      const id = await createStream(transmitter)
      await ask('POST /status', { body: { stream_id: id, status: wanted } })
      const answer = await ask(`DELETE /streams?stream_id=${id}`)
      expect([answer.status, await answer.text()]).toEqual([204, ''])
      expect(await status(`DELETE /streams?stream_id=${id}`)).toBe(404)
      expect(await status(`POST /poll/${id}`, { body: {} })).toBe(404)
    }
    expect(await status('DELETE /streams')).toBe(400)
  })
})

describe('replacing a stream', () => {
  const types = [SessionRevoked.uri, CredentialChange.uri]
  const delivery = { method: pollMethod }
  const read = async (stream_id: string): Promise<Record<string, unknown>> =>
    (await (await ask(`GET /streams?stream_id=${stream_id}`)).json()) as Record<string, unknown>

  it('SSF-8.1.1.4-3, SSF-8.1.1.4-6, SSF-8.1.1.4-8: deletes what is not sent, and answers the whole', async () => {
    const stream_id = await createStream(transmitter, {
      events_requested: types,
      description: 'first',
    })
    const { description: _, events_requested: __, ...before } = await read(stream_id)
    const one = { stream_id, delivery, events_requested: [CredentialChange.uri] }
    const answer = await ask('PUT /streams', { body: one })
    expect(answer.status).toBe(200)
    const after = {
      ...before,
      events_requested: [CredentialChange.uri],
      events_delivered: [CredentialChange.uri],
    }
    expect(await answer.json()).toEqual(after)
    expect(await read(stream_id)).toEqual(after)
    const none = await ask('PUT /streams', { body: { stream_id, delivery } })
    expect(await none.json()).toEqual({ ...before, events_delivered: [] })
  })

  it('SSF-8.1.1.4-5, SSF-8.1.1.4-7: supplied members must be what they were before', async () => {
    const stream_id = await createStream(transmitter, { events_requested: types })
    const whole = await read(stream_id)
    expect(await status('PUT /streams', { body: { ...whole, aud: 'https://other.example' } })).toBe(
      400,
    )
    expect(await read(stream_id)).toEqual(whole)
    // Reading, changing and replacing: `events_delivered` still says what it was.
    const fewer = { ...whole, events_requested: [SessionRevoked.uri] }
    expect(await status('PUT /streams', { body: fewer })).toBe(200)
    expect(await status('PUT /streams', { body: fewer })).toBe(400)
  })

  it('GAP-8, SSF-8.1.1.4-11: is 400 without a delivery, 400 before 404, and 404 for another’s', async () => {
    const stream_id = await createStream(transmitter, { events_requested: types })
    const answer = await ask('PUT /streams', { body: { stream_id } })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ description: expect.stringContaining('"delivery"') }),
    ])
    expect(await status('PUT /streams', { body: { delivery } })).toBe(400)
    expect(await status('PUT /streams', { body: { stream_id: 'x', delivery: 1 } })).toBe(400)
    expect(await status('PUT /streams', { body: { stream_id: 'x', delivery } })).toBe(404)
    const body = { stream_id, delivery }
    expect(await status('PUT /streams', { body, token: 'token-two' })).toBe(404)
  })

  it('replaces the delivery; what waits goes out by the new one', async () => {
    const endpoint = await pushEndpoint()
    const stream_id = await createStream(transmitter, { events_requested: types })
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const delivered = nextEvent(transmitter, 'set:delivered')
    const body = { stream_id, events_requested: types, ...pushTo(endpoint.url, 'Bearer new') }
    expect(await status('PUT /streams', { body })).toBe(200)
    await delivered
    expect(endpoint.received[0]?.headers.authorization).toBe('Bearer new')
    await endpoint.close()
  })
})

describe('updating a stream', () => {
  const types = [SessionRevoked.uri, CredentialChange.uri]
  const read = async (stream_id: string): Promise<Record<string, unknown>> =>
    (await (await ask(`GET /streams?stream_id=${stream_id}`)).json()) as Record<string, unknown>

  it('SSF-8.1.1.3-3, SSF-8.1.1.3-4, SSF-8.1.1.3-9: changes what is sent and answers the whole', async () => {
    const stream_id = await createStream(transmitter, {
      events_requested: types,
      description: 'first',
    })
    const before = await read(stream_id)
    const answer = await ask('PATCH /streams', {
      body: { stream_id, events_requested: [CredentialChange.uri, 'https://unknown.example'] },
    })
    expect(answer.status).toBe(200)
    const after = {
      ...before,
      events_requested: [CredentialChange.uri, 'https://unknown.example'],
      events_delivered: [CredentialChange.uri],
    }
    expect(await answer.json()).toEqual(after)
    expect(await read(stream_id)).toEqual(after)
  })

  it('SSF-8.1.1.3-6, SSF-8.1.1.3-8: supplied members must be what they were before the update', async () => {
    const stream_id = await createStream(transmitter, { events_requested: types })
    const whole = await read(stream_id)
    const same = { ...whole, events_requested: [SessionRevoked.uri] }
    expect(await status('PATCH /streams', { body: same })).toBe(200)
    const wrong = await ask('PATCH /streams', { body: { stream_id, aud: 'https://other.example' } })
    expect([wrong.status, ((await wrong.json()) as { description: string }).description]).toEqual([
      400,
      '"aud" is supplied by the Transmitter, and is another: leave it out',
    ])
    // By now the types that are delivered are others than in `whole`.
    expect(await status('PATCH /streams', { body: whole })).toBe(400)
  })

  it('SSF-8.1.1.3-13, SSF-8.1.1.3-16: is 400 before it is 404', async () => {
    expect(await status('PATCH /streams', { body: {} })).toBe(400)
    expect(await status('PATCH /streams', { body: { stream_id: 'x', description: 1 } })).toBe(400)
    expect(await status('PATCH /streams', { body: { stream_id: 'x' } })).toBe(404)
  })

  it('GAP-11: replaces the delivery as a whole; what waits goes out by the new one', async () => {
    const endpoint = await pushEndpoint()
    const stream_id = await createStream(transmitter, { events_requested: types })
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const delivered = nextEvent(transmitter, 'set:delivered')
    const body = { stream_id, ...pushTo(endpoint.url, 'Bearer new') }
    expect(await status('PATCH /streams', { body })).toBe(200)
    await delivered
    expect(endpoint.received[0]?.headers.authorization).toBe('Bearer new')
    expect(await status(`POST /poll/${stream_id}`, { body: {} })).toBe(404)
    const back = { stream_id, delivery: { method: pollMethod } }
    expect(await status('PATCH /streams', { body: back })).toBe(200)
    await transmitter.transmit(SessionRevoked, user('bob'), {})
    const answer = await ask(`POST /poll/${stream_id}`, { body: {} })
    expect(Object.keys(((await answer.json()) as { sets: object }).sets)).toHaveLength(1)
    expect(endpoint.received).toHaveLength(1)
    await endpoint.close()
  })
})

describe('status', () => {
  it('SSF-8.1.2.2-2: answers an update with the new status and keeps the reason', async () => {
    const id = await createStream(transmitter)
    const body = { stream_id: id, status: 'paused', reason: 'maintenance' }
    const answer = await ask(`POST /status?stream_id=${id}`, { body })
    expect([answer.status, await answer.json()]).toEqual([200, body])
    expect(await (await ask(`GET /status?stream_id=${id}`)).json()).toEqual(body)
  })

  it('SSF-8.1.2.2-4: refuses what is not a status, and an unknown stream', async () => {
    const id = await createStream(transmitter)
    expect(await status('POST /status', { body: { stream_id: id, status: 'on' } })).toBe(400)
    expect(await status('POST /status', { body: { status: 'enabled' } })).toBe(400)
    expect(await status('POST /status', { body: { stream_id: 'x', status: 'enabled' } })).toBe(404)
    expect(await status('GET /status')).toBe(400)
    expect(await status('GET /status?stream_id=x')).toBe(404)
  })

  it('SSF-8.1.2.1-7, SSF-8.1.2.1-10: paused holds in order, disabled drops, enabled resumes', async () => {
    const id = await createStream(transmitter)
    const to = (value: string): Promise<Response> =>
      ask('POST /status', { body: { stream_id: id, status: value } })
    const send = (n: number): Promise<unknown> =>
      transmitter.transmit(SessionRevoked, user('u'), { event_timestamp: n })
    const stamps = async (): Promise<unknown[]> =>
      Object.values((await poll(transmitter, id)).sets).map(
        (set) => claimsOf(set).events[SessionRevoked.uri],
      )
    await to('paused')
    await send(1)
    await send(2)
    expect(await stamps()).toEqual([])
    await to('enabled')
    expect(await stamps()).toEqual([{ event_timestamp: 1 }, { event_timestamp: 2 }])
    await to('disabled')
    await send(3)
    expect(await stamps()).toEqual([])
    await to('enabled')
    await send(4)
    expect(await stamps()).toEqual([{ event_timestamp: 4 }])
  })
})

describe('verification', () => {
  it('SSF-8.1.4.2-2, SSF-8.1.4.2-3: answers 204 and sends the state, whatever is delivered', async () => {
    const id = await createStream(transmitter, { events_requested: [] })
    const answer = await ask('POST /verify', { body: { stream_id: id, state: 'a state' } })
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    const [set] = Object.values((await poll(transmitter, id)).sets)
    expect(claimsOf(set ?? '')).toMatchObject({
      iss: issuer,
      aud: 'https://one.example',
      sub_id: { format: 'opaque', id },
      events: {
        'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'a state' },
      },
    })
  })

  it('holds it while the stream is paused and drops it while it is disabled', async () => {
    const id = await createStream(transmitter)
    const to = (value: string): Promise<Response> =>
      ask('POST /status', { body: { stream_id: id, status: value } })
    const verify = (state: string): Promise<number> =>
      status('POST /verify', { body: { stream_id: id, state } })
    await to('disabled')
    expect(await verify('dropped')).toBe(204)
    await to('paused')
    expect(await verify('held')).toBe(204)
    expect((await poll(transmitter, id)).sets).toEqual({})
    await to('enabled')
    const sets = Object.values((await poll(transmitter, id)).sets)
    expect(sets.map((set) => Object.values(claimsOf(set).events))).toEqual([[{ state: 'held' }]])
  })

  it('SSF-8.1.4.2-9: refuses an invalid request with 400 and an unknown stream with 404', async () => {
    expect(await status('POST /verify', { body: {} })).toBe(400)
    expect(await status('POST /verify', { body: { stream_id: 'x', state: 7 } })).toBe(400)
    expect(await status('POST /verify', { body: { stream_id: 'x' } })).toBe(404)
  })

  it('SSF-8.1.1-16, SSF-8.1.1-17: answers 429 with Retry-After within the interval only', async () => {
    await transmitter.stop()
    let now = 1_000_000
    const clock = { ...systemClock, now: () => now }
    await start({ minVerificationIntervalSeconds: 60, clock })
    const id = await createStream(transmitter)
    const other = await createStream(transmitter)
    const read = await ask(`GET /streams?stream_id=${id}`)
    expect(await read.json()).toMatchObject({ min_verification_interval: 60 })
    const verify = (stream_id: string): Promise<Response> =>
      ask('POST /verify', { body: { stream_id } })
    expect((await verify(id)).status).toBe(204)
    now += 20_500
    const refused = await verify(id)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40'])
    expect((await verify(other)).status).toBe(204)
    now += 39_500
    expect((await verify(id)).status).toBe(204)
  })
})

describe('over a socket', () => {
  it('does the same as in memory', async () => {
    const served = await serve(transmitter)
    const { url } = served
    const headers = { authorization: 'Bearer token-one', 'content-type': 'application/json' }
    const created = await fetch(`${url}/tenant/ssf/streams`, {
      method: 'POST',
      headers,
      body: '{}',
    })
    const { stream_id } = (await created.json()) as { stream_id: string }
    expect(created.status).toBe(201)
    const gone = await fetch(`${url}/tenant/ssf/streams?stream_id=${stream_id}`, {
      method: 'DELETE',
      headers,
    })
    expect(gone.status).toBe(204)
    const metadata = await fetch(`${url}/.well-known/ssf-configuration/tenant`)
    expect(await metadata.json()).toMatchObject({ issuer })
    await served.close()
  })
})
