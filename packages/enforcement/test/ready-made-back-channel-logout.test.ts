import { describe, expect, it } from '@jest/globals'
import { decodeJwt, generateKeyPair, jwtVerify, SignJWT, type JWTVerifyResult } from 'jose'
import {
  backChannelLogout,
  type BackChannelLogoutOptions,
  type LoggedInClient,
} from '@drawbridge/enforcement/hooks'
import {
  callWith,
  endless,
  failureOf,
  peerThat,
  silence,
  status,
  type Answer,
  type HttpPeer,
} from './ready-made-peer.ts'
import { noon } from './signals.ts'

const op = 'https://op.example'
const { privateKey, publicKey } = await generateKeyPair('ES256')

const sign: BackChannelLogoutOptions['sign'] = ({ header, claims }) =>
  new SignJWT({ ...claims }).setProtectedHeader({ ...header, alg: 'ES256' }).sign(privateKey)

const at = ({ url }: HttpPeer, more: Partial<LoggedInClient> = {}): LoggedInClient => ({
  client_id: 'shop',
  backchannel_logout_uri: url,
  sub: 'alice',
  ...more,
})

const hookFor = (
  clientsOf: BackChannelLogoutOptions['clientsOf'],
  more: Partial<BackChannelLogoutOptions> = {},
) =>
  backChannelLogout({
    issuer: op,
    sign,
    clientsOf,
    clock: { now: () => noon * 1000 + 700 },
    allowInsecureHttp: true,
    ...more,
  })

const tokensAt = ({ asked }: HttpPeer): string[] =>
  asked.map(({ body }) => new URLSearchParams(body).get('logout_token') ?? '')

/** What a Relying Party does with a Logout Token, by the specification. */
const verified = (token: string | undefined): Promise<JWTVerifyResult> =>
  jwtVerify(token ?? '', publicKey, {
    issuer: op,
    audience: 'shop',
    typ: 'logout+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
    currentDate: new Date((noon + 1) * 1000),
  })

describe('backChannelLogout', () => {
  it('sends a Logout Token that the client can verify', async () => {
    const peer = await peerThat(status(200))
    const calls: unknown[] = []
    const call = callWith()
    const hook = hookFor(async (given) => {
      calls.push(given)
      return [at(peer, { sid: 's-1' })]
    })
    await hook(call)
    expect(calls).toEqual([call])
    expect(peer.asked).toMatchObject([
      { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ])
    const { payload } = await verified(tokensAt(peer)[0])
    expect(payload).toEqual({
      iss: op,
      aud: 'shop',
      iat: noon,
      exp: noon + 120,
      jti: expect.stringMatching(/^[\da-f]{64}$/),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      sub: 'alice',
      sid: 's-1',
    })
  })
  it('names a user alone, or a session alone', async () => {
    const peer = await peerThat(status(204))
    const session = { client_id: 'shop', backchannel_logout_uri: peer.url, sid: 's-1' }
    await hookFor(() => [at(peer), session], { lifetimeSeconds: 30 })(callWith())
    const claims = await Promise.all(tokensAt(peer).map(verified))
    expect(new Set(claims.map(({ payload }) => [payload.sub, payload['sid']]))).toEqual(
      new Set([
        ['alice', undefined],
        [undefined, 's-1'],
      ]),
    )
    expect(claims.map(({ payload }) => payload.exp)).toEqual([noon + 30, noon + 30])
  })
  it('has one jti for a logout and its repetition, and another for any other', async () => {
    const peer = await peerThat(status(500))
    const sessions = [
      at(peer),
      at(peer, { sid: 's-1' }),
      at(peer, { sid: 's-2' }),
      at(peer, { sub: 'bob' }),
      at(peer, { client_id: 'blog' }),
    ]
    const jtis = async (key: string): Promise<unknown[]> => {
      peer.asked.length = 0
      await Promise.allSettled([hookFor(() => sessions)(callWith({ key }))])
      return tokensAt(peer).map((token) => decodeJwt(token).jti)
    }
    const first = await jtis('one')
    expect(new Set(first).size).toBe(sessions.length)
    expect(new Set(await jtis('one'))).toEqual(new Set(first))
    expect(new Set([...first, ...(await jtis('two'))]).size).toBe(2 * sessions.length)
  })
  it('asks the others where one fails, and in the next attempt only those that failed', async () => {
    const answers: Record<string, Answer> = { shop: status(200), blog: status(400) }
    const peer = await peerThat((response, asked) => {
      const { aud } = decodeJwt(new URLSearchParams(asked.body).get('logout_token') ?? '')
      answers[String(aud)]?.(response, asked)
    })
    const clients = [at(peer, { client_id: 'blog' }), at(peer)]
    const hook = hookFor(() => clients)
    const audiences = (): unknown[] => tokensAt(peer).map((token) => decodeJwt(token).aud)
    const { message, errors } = await failureOf(hook(callWith()))
    expect(message).toBe('1 of 2 clients were not logged out')
    expect(errors.map((error) => [error.code, error.message])).toEqual([
      [
        'ERR_PEER_ANSWER',
        'the client "blog" answered 400: it does not accept the Logout Token, or its logout failed',
      ],
    ])
    expect(audiences().toSorted()).toEqual(['blog', 'shop'])
    await expect(hook(callWith())).rejects.toThrow('1 of 2')
    expect(audiences().slice(2)).toEqual(['blog'])
    answers['blog'] = status(204)
    await hook(callWith())
    expect(audiences().slice(3)).toEqual(['blog'])
    // Another task, and one that is finished, begin with nobody.
    await hook(callWith({ key: 'another' }))
    await hook(callWith())
    expect(audiences()).toHaveLength(8)
  })
  it('remembers the thousand tasks that were begun last', async () => {
    let fails = true
    const peer = await peerThat(status(200))
    const broken: BackChannelLogoutOptions['sign'] = async (token) =>
      fails && token.claims.sub === 'bob' ? Promise.reject(new Error('no')) : 'token'
    const hook = hookFor(() => [at(peer), at(peer, { sub: 'bob' })], { sign: broken })
    for (let task = 0; task < 1001; task++) {
      await Promise.allSettled([hook(callWith({ key: `task ${task}` }))])
    }
    expect(peer.asked).toHaveLength(1001)
    fails = false
    await hook(callWith({ key: 'task 1' }))
    expect(peer.asked).toHaveLength(1002)
    await hook(callWith({ key: 'task 0' }))
    expect(peer.asked).toHaveLength(1004)
  })
  it.each([
    [201, 'ERR_PEER_ANSWER', '201'],
    [303, 'ERR_PEER_ANSWER', '303: redirects are not followed'],
    [501, 'ERR_PEER_UNREACHABLE', '501'],
    [504, 'ERR_PEER_UNREACHABLE', '504'],
  ])('fails on %i, to be tried again', async (code, expected, text) => {
    const other = await peerThat(status(200))
    const peer = await peerThat(status(code, { error: 'boo' }, { location: other.url }))
    const { errors } = await failureOf(hookFor(() => [at(peer)])(callWith()))
    expect(errors.map((error) => [error.code, error.message])).toEqual([
      [expected, `the client "shop" answered ${text}`],
    ])
    expect(other.asked).toEqual([])
  })
  it.each<[string, object]>([
    ['client_id', { client_id: '' }],
    ['backchannel_logout_uri', { backchannel_logout_uri: 'ftp://shop.example' }],
    ['sub" or "sid', { sub: undefined }],
    ['sub" or "sid', { sub: '' }],
    ['sub" or "sid', { sid: '' }],
  ])('names what is wrong with "%s of a client, and asks the others', async (name, wrong) => {
    const peer = await peerThat(status(200))
    const clients = [at(peer, wrong), at(peer)]
    const { errors } = await failureOf(hookFor(() => clients)(callWith()))
    expect(errors.map(({ code }) => code)).toEqual(['ERR_INVALID_ARG_VALUE'])
    expect(errors[0]?.message).toContain(`clientsOf: "${name}"`)
    expect(peer.asked).toHaveLength(1)
  })
  it('names a client that is none, and has defaults for what is undefined', async () => {
    const peer = await peerThat(status(200))
    const clients = [undefined as never, at(peer)]
    const given = { lifetimeSeconds: undefined, clock: undefined } as object
    const { errors } = await failureOf(hookFor(() => clients, given)(callWith()))
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^clientsOf: "client_id" must .*"sub" or "sid" must/),
    ])
    const { iat = 0, exp } = decodeJwt(tokensAt(peer)[0] ?? '')
    expect(exp).toBe(iat + 120)
  })
  it('sends nothing where "sign" gives no token', async () => {
    const peer = await peerThat(status(200))
    const sign = (async () => undefined) as never
    const { errors } = await failureOf(hookFor(() => [at(peer)], { sign })(callWith()))
    expect(errors[0]?.message).toBe('sign: it must give a compact JWT')
    expect(peer.asked).toEqual([])
  })
  it('asks http for nothing unless that is allowed', async () => {
    const peer = await peerThat(status(200))
    const hook = hookFor(() => [at(peer)], { allowInsecureHttp: false })
    await expect(hook(callWith())).rejects.toThrow('1 of 1')
    expect(peer.asked).toEqual([])
  })
  it('leaves a client that does not answer when the time is over', async () => {
    const peer = await peerThat(silence)
    const time = new AbortController()
    const failed = failureOf(hookFor(() => [at(peer)])(callWith({ signal: time.signal })))
    while (peer.asked.length === 0) await new Promise(setImmediate)
    time.abort()
    expect((await failed).name).toBe('AbortError')
    await peer.idle()
  })
  it.each([200, 400])('does not listen to %i without end', async (code) => {
    const peer = await peerThat(endless(code))
    await Promise.allSettled([hookFor(() => [at(peer)])(callWith())])
    await peer.idle()
  })
  it('judges its options together', () => {
    const wrong = { issuer: 'http://op.example', lifetimeSeconds: 121, nonce: 'n', fetch: 1 }
    expect(() => backChannelLogout(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"nonce" is not an option',
          expect.stringContaining('"issuer" must be an https URL'),
          '"sign" must be a function that signs a header and claims, and gives a compact JWT',
          '"clientsOf" must be a function',
          '"lifetimeSeconds" must be a whole number from 1 to 120',
          '"fetch" must be a function',
        ],
      }),
    )
    expect(() => backChannelLogout(undefined as never)).toThrow('"issuer" must be')
    for (const lifetimeSeconds of [0, 1.5, Number.NaN, '60']) {
      const options = { issuer: op, sign, clientsOf: () => [], lifetimeSeconds }
      expect(() => backChannelLogout(options as never)).toThrow('"lifetimeSeconds" must be')
    }
  })
})
