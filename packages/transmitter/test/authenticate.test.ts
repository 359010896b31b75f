import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { PeerError } from '@drawbridge/schema'
import { firstOf, staticTokens, type Authenticate, type Transmitter } from '../src/index.ts'
import { withToken } from './authorization-server.ts'
import { call, createStream, issuer, makeTransmitter, serve } from './support.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const one = { id: 'one', audience: 'https://one.example' }
const all = ['ssf.read', 'ssf.manage']

describe('static tokens', () => {
  it('may be given as hashes', async () => {
    const tokens = [
      { ...one, sha256: sha256('token-one') },
      { ...one, id: 'two', sha256: sha256('token-two').toUpperCase(), scopes: ['ssf.read'] },
    ]
    const authenticate = staticTokens(tokens)
    expect(await authenticate(withToken('token-one'))).toEqual({ ...one, scopes: all })
    expect(await authenticate(withToken('token-two'))).toEqual({
      ...one,
      id: 'two',
      scopes: ['ssf.read'],
    })
    expect(await authenticate(withToken(sha256('token-one')))).toBeUndefined()
    expect(await authenticate(withToken('token-three'))).toBeUndefined()
  })

  it('give all that is said of their Receiver, and nothing of themselves', async () => {
    const authenticate = staticTokens([{ ...one, token: 'token', algorithm: 'ES256' }])
    expect(await authenticate(withToken('token'))).toEqual({
      ...one,
      scopes: all,
      algorithm: 'ES256',
    })
  })

  it('are checked, without being shown', () => {
    const make = (): unknown =>
      staticTokens([
        one,
        { ...one, token: 'a', sha256: sha256('a') },
        { ...one, token: 'my secret' },
        { ...one, sha256: 'abc' },
      ])
    expect(make).toThrow(
      expect.objectContaining({
        mistakes: [
          '"[0]" must have either "token" or "sha256"',
          '"[1]" must have either "token" or "sha256"',
          expect.stringContaining('"[2].token"'),
          '"[3].sha256" must be 64 hexadecimal digits',
        ],
      }),
    )
    expect(make).not.toThrow('my secret')
  })
})

describe('the first of several ways', () => {
  const knows = (token: string, id: string): Authenticate => staticTokens([{ ...one, token, id }])
  const unavailable: Authenticate = () => {
    throw new PeerError('ERR_PEER_UNREACHABLE', 'the authorization server could not be reached')
  }

  it('that knows the token decides', async () => {
    const authenticate = firstOf(knows('a', 'first'), knows('a', 'second'), knows('b', 'third'))
    expect(await authenticate(withToken('a'))).toMatchObject({ id: 'first' })
    expect(await authenticate(withToken('b'))).toMatchObject({ id: 'third' })
    expect(await authenticate(withToken('c'))).toBeUndefined()
  })

  it('does not stop the others when it cannot be asked, but refuses nobody', async () => {
    const authenticate = firstOf(unavailable, knows('a', 'second'))
    expect(await authenticate(withToken('a'))).toMatchObject({ id: 'second' })
    await expect(authenticate(withToken('b'))).rejects.toMatchObject({
      code: 'ERR_PEER_UNREACHABLE',
    })
  })

  it('shows its programming errors', async () => {
    const broken: Authenticate = () => {
      throw new TypeError('a bug')
    }
    await expect(firstOf(broken, knows('a', 'second'))(withToken('a'))).rejects.toThrow('a bug')
  })

  it('has the authorization servers of all', () => {
    const at = (...authorizationServers: string[]): Authenticate =>
      Object.assign(() => undefined, { authorizationServers })
    const ways = [at('https://a.example'), knows('a', 'one'), at('https://b.example')]
    expect(firstOf(...ways, at('https://a.example')).authorizationServers).toEqual([
      'https://a.example',
      'https://b.example',
    ])
    expect(firstOf(knows('a', 'one')).authorizationServers ?? []).toEqual([])
  })
})

describe('credentials of a request', () => {
  let transmitter: Transmitter
  beforeEach(async () => {
    transmitter = makeTransmitter()
    await transmitter.start()
  })
  afterEach(() => transmitter.stop())

  const ask = async (
    headers: Record<string, string>,
    path = '/streams',
    init: RequestInit = {},
  ): Promise<[number, string | null]> => {
    const request = new Request(`${issuer}/ssf${path}`, { ...init, headers })
    const { status, headers: answer } = await transmitter.fetch(request)
    return [status, answer.get('www-authenticate')]
  }
  const invalid = [401, 'Bearer error="invalid_token"']
  const none = [401, 'Bearer']
  const form = 'application/x-www-form-urlencoded'

  it('are a bearer token in the header, however "Bearer" is spelt (OAUTH-6750.2.1-1)', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect(await ask({ authorization: `${scheme} token-one` })).toEqual([200, null])
    }
  })

  it.each(['Bearer unknown', 'Bearer a:b', 'Bearer', 'Basic dG9rZW46', 'token-one', 'Bearer a b'])(
    'are bad: %s (OAUTH-6750.3-1, OAUTH-6750.3.1-1)',
    async (authorization) => {
      expect(await ask({ authorization })).toEqual(invalid)
      expect(
        await ask({ authorization }, '/poll/no-stream', { method: 'POST', body: '{' }),
      ).toEqual(invalid)
    },
  )

  it('are none in the URL, but a good header decides (CIOP-2.7.3-2)', async () => {
    const path = '/streams?access_token=token-one'
    expect(await ask({}, path)).toEqual(none)
    expect(await ask({ authorization: 'Bearer token-one' }, path)).toEqual([200, null])
    expect(await ask({ authorization: 'Bearer unknown' }, path)).toEqual(invalid)
  })

  it('are none in the URL, whatever "authenticate" would say (CIOP-2.7.3-2)', async () => {
    await transmitter.stop()
    transmitter = makeTransmitter({ authenticate: () => ({ ...one, scopes: all }) })
    await transmitter.start()
    expect(await ask({}, '/streams?access_token=token-one')).toEqual(none)
    expect(await ask({})).toEqual([200, null])
  })

  it('are none in a form', async () => {
    const init = { method: 'POST', body: 'access_token=token-one' }
    expect(await ask({ 'content-type': form }, '/streams', init)).toEqual(none)
  })

  it('are bad where there are two, over a socket', async () => {
    const endpoint = await serve(transmitter)
    const socket = connect(Number(new URL(endpoint.url).port), '127.0.0.1')
    const field = 'Authorization: Bearer token-one\r\n'
    const path = `${new URL(issuer).pathname}/ssf/streams`
    socket.end(`GET ${path} HTTP/1.1\r\nHost: idp.example\r\n${field}${field}\r\n`)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    await endpoint.close()
    expect(answer).toMatch(/^HTTP\/1.1 401 /)
    expect(answer.toLowerCase()).toContain('www-authenticate: bearer error="invalid_token"')
  })

  it('with ssf.read alone change nothing, and are told what is missing (CIOP-2.7.2-4, CIOP-2.7.3-4, CIOP-2.7.3-5)', async () => {
    const streamId = await createStream(transmitter)
    const token = 'token-read'
    for (const route of [
      'POST /streams',
      'PATCH /streams',
      'PUT /streams',
      `DELETE /streams?stream_id=${streamId}`,
      'POST /status',
      'POST /subjects:add',
      'POST /subjects:remove',
      'POST /verify',
      `POST /poll/${streamId}`,
    ]) {
      const answer = await call(transmitter, route, { token })
      expect([route, answer.status, answer.headers.get('www-authenticate')]).toEqual([
        route,
        403,
        'Bearer error="insufficient_scope", scope="ssf.manage"',
      ])
    }
    const reads = ['GET /streams', `GET /status?stream_id=${streamId}`]
    for (const route of reads) expect((await call(transmitter, route, { token })).status).toBe(200)
  })

  it('with ssf.manage alone may read, too (CIOP-2.7.2-3)', async () => {
    const authenticate = staticTokens([{ ...one, token: 'm', scopes: ['ssf.manage'] }])
    await transmitter.stop()
    transmitter = makeTransmitter({ authenticate })
    await transmitter.start()
    expect((await call(transmitter, 'GET /streams', { token: 'm' })).status).toBe(200)
  })

  it('without scopes, or with one in other letters, may nothing (OAUTH-6749.3.3-1)', async () => {
    const authenticate = staticTokens([
      { ...one, token: 'n', scopes: [] },
      { ...one, token: 'o', scopes: ['SSF.READ', 'ssf'] },
    ])
    await transmitter.stop()
    transmitter = makeTransmitter({ authenticate })
    await transmitter.start()
    for (const token of ['n', 'o']) {
      expect((await call(transmitter, 'GET /streams', { token })).status).toBe(403)
    }
  })
})
