import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { IncomingHttpHeaders } from 'node:http'
import { introspection, type Authenticate, type IntrospectionOptions } from '../src/index.ts'
import {
  authorizationServer,
  turnedClock,
  withToken,
  type AuthorizationServer,
  type TurnedClock,
} from './authorization-server.ts'
import { call, makeTransmitter } from './support.ts'

const path = '/introspect'
const receiver = { id: 'client', audience: 'client', scopes: ['ssf.read', 'ssf.manage'] }
const active = { active: true, client_id: 'client', scope: 'ssf.read ssf.manage' }

let server: AuthorizationServer
let clock: TurnedClock

beforeEach(async () => {
  clock = turnedClock()
  server = await authorizationServer()
  server.answers.set(path, active)
})
afterEach(() => server.close())

const make = (options: Partial<IntrospectionOptions> = {}): Authenticate =>
  introspection({
    endpoint: `${server.issuer}${path}`,
    clientId: 'transmitter',
    clientSecret: 'secret',
    clock,
    allowInsecureHttp: true,
    ...options,
  })

const seconds = (): number => clock.now() / 1000

/** What becomes of a token about which this is answered. */
async function answered(
  answer: object | number,
  options?: Partial<IntrospectionOptions>,
): Promise<unknown> {
  server.answers.set(path, answer)
  return make(options)(withToken('token'))
}

describe('a token that is introspected', () => {
  it('is good when it is active (CIOP-2.7.3-3)', async () => {
    expect(await answered(active)).toEqual(receiver)
  })

  it.each([false, 'true', 1, null, undefined])('is bad when "active" is %p', async (value) => {
    expect(await answered({ ...active, active: value })).toBeUndefined()
  })

  it('is bad before "nbf" and from "exp" on', async () => {
    expect(await answered({ ...active, exp: seconds() })).toBeUndefined()
    expect(await answered({ ...active, nbf: seconds() + 1 })).toBeUndefined()
    expect(await answered({ ...active, nbf: seconds(), exp: seconds() + 1 })).toEqual(receiver)
  })

  it('is bad for another audience, or for none, where one is given', async () => {
    const audience = 'https://idp.example/ssf'
    expect(await answered({ ...active, aud: ['x', audience] }, { audience })).toEqual(receiver)
    expect(await answered({ ...active, aud: audience }, { audience })).toEqual(receiver)
    expect(await answered({ ...active, aud: 'x' }, { audience })).toBeUndefined()
    expect(await answered(active, { audience })).toBeUndefined()
  })

  it('is bad from another issuer, where one is given', async () => {
    const issuer = 'https://as.example'
    expect(await answered({ ...active, iss: issuer }, { issuer })).toEqual(receiver)
    expect(await answered({ ...active, iss: 'https://other.example' }, { issuer })).toBeUndefined()
  })

  it('is bad when it needs a proof of possession', async () => {
    expect(await answered({ ...active, cnf: {} })).toBeUndefined()
  })

  it('goes to the Receiver that "receiver" names', async () => {
    const named = { id: 'r', audience: 'a' }
    expect(await answered(active, { receiver: () => named })).toEqual({
      ...named,
      scopes: receiver.scopes,
    })
    expect(await answered(active, { receiver: () => undefined })).toBeUndefined()
  })
})

describe('the question', () => {
  it('is a form, by a client whose name and secret are encoded each', async () => {
    let asked: { headers: IncomingHttpHeaders; method: string | undefined; body: string }
    server.answers.set(path, ({ headers, method }, response, body) => {
      asked = { headers, method, body }
      response.end(JSON.stringify(active))
    })
    await make({ clientId: 'a:b', clientSecret: 'ä %' })(withToken('to+ken='))
    expect(asked!.method).toBe('POST')
    expect(asked!.body).toBe('token=to%2Bken%3D&token_type_hint=access_token')
    expect(asked!.headers['content-type']).toBe('application/x-www-form-urlencoded')
    const [scheme, credentials = ''] = asked!.headers.authorization?.split(' ') ?? []
    expect([scheme, Buffer.from(credentials, 'base64').toString()]).toEqual([
      'Basic',
      'a%3Ab:%C3%A4+%25',
    ])
  })

  it('is not put without a bearer token', async () => {
    const basic = new Request('https://idp.example', { headers: { authorization: 'Basic eA==' } })
    expect(await make()(basic)).toBeUndefined()
    expect(server.asked).toEqual([])
  })

  it('is put anew each time by default: a token that was revoked is refused at once', async () => {
    const authenticate = make()
    expect(await authenticate(withToken('token'))).toEqual(receiver)
    server.answers.set(path, { active: false })
    expect(await authenticate(withToken('token'))).toBeUndefined()
  })

  it('is put once for all that ask at a time', async () => {
    let answerNow = (): void => undefined
    const answer = new Promise<void>((resolve) => (answerNow = resolve))
    server.answers.set(path, (_request, response) => {
      void answer.then(() => response.end(JSON.stringify(active)))
    })
    // Whoever finds that the question is put already looks at the clock.
    let joined = 0
    const now = (): number => {
      if (++joined === 2) answerNow()
      return clock.now()
    }
    const authenticate = make({ clock: { ...clock, now } })
    const all = ['one', 'one', 'one'].map(async (token) => authenticate(withToken(token)))
    expect(await Promise.all(all)).toEqual([receiver, receiver, receiver])
    expect(server.asked).toHaveLength(1)
  })

  it('is not put again for "cacheSeconds", and never beyond "exp"', async () => {
    const authenticate = make({ cacheSeconds: 60 })
    server.answers.set(path, { ...active, exp: seconds() + 90 })
    await authenticate(withToken('token'))
    clock.turn(59_000)
    await authenticate(withToken('token'))
    expect(server.asked).toHaveLength(1)
    clock.turn(1_000)
    await authenticate(withToken('token'))
    expect(server.asked).toHaveLength(2)
    clock.turn(30_000)
    server.answers.set(path, active)
    expect(await authenticate(withToken('token'))).toEqual(receiver)
    expect(server.asked).toHaveLength(3)
    await authenticate(withToken('other'))
    expect(server.asked).toHaveLength(4)
  })

  it('is put again after a refusal and after a failure', async () => {
    const authenticate = make({ cacheSeconds: 60 })
    server.answers.set(path, { active: false })
    expect(await authenticate(withToken('token'))).toBeUndefined()
    server.answers.set(path, 500)
    await expect(authenticate(withToken('token'))).rejects.toThrow()
    server.answers.set(path, active)
    expect(await authenticate(withToken('token'))).toEqual(receiver)
  })
})

describe('an authorization server that does not answer as it must', () => {
  it.each<[number | object, string]>([
    [500, 'ERR_PEER_UNREACHABLE'],
    [429, 'ERR_PEER_UNREACHABLE'],
    [401, 'ERR_PEER_ANSWER'],
    [404, 'ERR_PEER_ANSWER'],
    [302, 'ERR_PEER_ANSWER'],
    [[active], 'ERR_PEER_ANSWER'],
  ])('with %j makes no token bad', async (answer, code) => {
    await expect(answered(answer)).rejects.toMatchObject({ name: 'PeerError', code })
  })

  it.each([
    ['fails', 500],
    ['refuses us', 401],
    ['is slow', () => undefined],
  ])('lets the API answer 503 and Retry-After when it %s', async (_name, answer) => {
    server.answers.set(path, answer)
    const transmitter = makeTransmitter({ authenticate: make({ timeoutMs: 100 }) })
    await transmitter.start()
    const { status, headers } = await call(transmitter, 'GET /streams')
    expect([status, headers.get('retry-after')]).toEqual([503, '5'])
    await transmitter.stop()
  })
})

describe('the options', () => {
  it('are checked all at once', () => {
    const bad = { endpoint: 'http://as.example', clientId: '', clientSecret: '', cacheSeconds: -1 }
    expect(() => introspection(bad)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          expect.stringContaining('"endpoint"'),
          expect.stringContaining('"clientId"'),
          expect.stringContaining('"clientSecret"'),
          expect.stringContaining('"cacheSeconds"'),
        ],
      }),
    )
  })
})
