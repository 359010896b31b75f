import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { exportSPKI, importJWK, type CryptoKey } from 'jose'
import { jwtAccessTokens, type Authenticate, type JwtAccessTokenOptions } from '../src/index.ts'
import {
  authorizationServer,
  jwksPath,
  makePair,
  metadataPath,
  signToken,
  turnedClock,
  withToken,
  type Answering,
  type AuthorizationServer,
  type SigningPair,
  type TokenOptions,
  type TurnedClock,
} from './authorization-server.ts'
import { call, makeTransmitter } from './support.ts'

const audience = 'https://idp.example/ssf'
const minute = 60_000

let pair: SigningPair
let rsa: SigningPair
let server: AuthorizationServer
let clock: TurnedClock

beforeAll(async () => {
  pair = await makePair('one')
  rsa = await makePair('rsa', 'RS256')
})
beforeEach(async () => {
  clock = turnedClock()
  server = await authorizationServer(pair, rsa)
})
afterEach(() => server.close())

const make = (options: Partial<JwtAccessTokenOptions> = {}): Authenticate =>
  jwtAccessTokens({ issuer: server.issuer, audience, clock, allowInsecureHttp: true, ...options })

const seconds = (): number => clock.now() / 1000

type Claims = Record<string, unknown>

/** The claims of a good token. */
const good = (claims: Claims = {}): Claims => ({
  iss: server.issuer,
  aud: audience,
  iat: seconds(),
  exp: seconds() + 600,
  sub: 'subject',
  client_id: 'client',
  scope: 'ssf.read ssf.manage',
  ...claims,
})

const sign = (claims: Claims = {}, options?: TokenOptions, by = pair): Promise<string> =>
  signToken(good(claims), by, options)

const without = (name: string): Claims => ({ [name]: undefined })

const receiver = {
  id: 'client',
  audience: 'client',
  scopes: ['ssf.read', 'ssf.manage'],
}

const asks = (path: string): number => server.asked.filter((asked) => asked === path).length

describe('a good access token', () => {
  it('is found to be its client’s (CIOP-2.7.3-1, CIOP-2.7.3-3)', async () => {
    expect(await make()(withToken(await sign()))).toEqual(receiver)
  })

  it.each(['at+jwt', 'application/at+jwt', 'AT+JWT'])('may have the typ %s', async (typ) => {
    expect(await make()(withToken(await sign({}, { header: { typ } })))).toEqual(receiver)
  })

  it.each([
    ['azp', { client_id: undefined, azp: 'other' }, 'other'],
    ['sub', { client_id: undefined }, 'subject'],
  ])('without client_id is named by %s', async (_name, claims, id) => {
    expect(await make()(withToken(await sign(claims)))).toMatchObject({ id, audience: id })
  })

  it('has scopes that are a case-sensitive set (OAUTH-6749.3.3-1)', async () => {
    const token = await sign({ scope: 'ssf.read  SSF.manage ssf.read' })
    expect(await make()(withToken(token))).toMatchObject({ scopes: ['ssf.read', 'SSF.manage'] })
  })

  it('may list its scopes in "scp"', async () => {
    const token = await sign({ scope: undefined, scp: ['ssf.read', 7] })
    expect(await make()(withToken(token))).toMatchObject({ scopes: ['ssf.read'] })
  })

  it('goes to the Receiver that "receiver" names, with all that it says', async () => {
    const limited = { id: 'r', audience: 'a', scopes: ['ssf.read'], algorithm: 'ES256' } as const
    const authenticate = make({
      receiver: ({ client_id }) => (client_id === 'client' ? limited : undefined),
    })
    expect(await authenticate(withToken(await sign()))).toEqual(limited)
    expect(await authenticate(withToken(await sign({ client_id: 'other' })))).toBeUndefined()
  })

  it('is measured from "nbf" or "iat" where a longest life is set (CIOP-2.7.1-3, CIOP26-2.7.1-1, POLL-4.4.1-1)', async () => {
    const authenticate = make({ maxLifetimeSeconds: 3600 })
    const at = async (claims: Claims): Promise<unknown> =>
      authenticate(withToken(await sign(claims)))
    const now = seconds()
    expect(await at({ nbf: now, exp: now + 3600 })).toEqual(receiver)
    expect(await at({ nbf: now, exp: now + 3601 })).toBeUndefined()
    expect(await at({ exp: now + 3601 })).toBeUndefined()
    expect(await at(without('iat'))).toBeUndefined()
  })
})

describe('a bad access token', () => {
  const refused = async (token: string, options?: Partial<JwtAccessTokenOptions>): Promise<void> =>
    expect(await make(options)(withToken(token))).toBeUndefined()

  it('is expired (CIOP-2.7.3-3)', async () => refused(await sign({ exp: seconds() - 6 })))
  it('is not valid yet', async () => refused(await sign({ nbf: seconds() + 6 })))
  it('never expires', async () => refused(await sign(without('exp'))))
  it('is for somebody else', async () => refused(await sign({ aud: 'https://other.example' })))
  it('is for nobody', async () => refused(await sign(without('aud'))))
  it('is of another issuer', async () => refused(await sign({ iss: `${server.issuer}/` })))
  it('names no client', async () => refused(await sign({ client_id: undefined, sub: undefined })))
  it('is good only with a proof of possession', async () =>
    refused(await sign({ cnf: { jkt: 'thumbprint' } })))

  it.each(['secevent+jwt', 'application/secevent+jwt', 'logout+jwt', 'JWT', 'jwt', undefined])(
    'has the typ %s (JOSE-8725.3.12-1)',
    async (typ) => refused(await sign({}, { header: { typ } })),
  )

  it('is a SET, also where other types are taken (JOSE-8725.3.12-1)', async () => {
    const anyType = true
    const authenticate = make({ anyType })
    for (const typ of ['JWT', undefined]) {
      expect(await authenticate(withToken(await sign({}, { header: { typ } })))).toEqual(receiver)
      await refused(await sign({ events: {} }, { header: { typ } }), { anyType })
    }
    await refused(await sign({}, { header: { typ: 'secevent+jwt' } }), { anyType })
  })

  it('has no signature', async () => {
    const encode = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url')
    await refused(`${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(good())}.`)
  })

  it('is signed by HS256 with the public RSA key', async () => {
    const spki = await exportSPKI((await importJWK(rsa.jwk)) as CryptoKey)
    for (const text of [spki, spki.trim(), JSON.stringify(rsa.jwk)]) {
      await refused(
        await sign({}, { header: { alg: 'HS256' }, key: new TextEncoder().encode(text) }, rsa),
      )
    }
  })

  it('brings its own key, or says where it is', async () => {
    const own = await makePair('one')
    await refused(await sign({}, { header: { jwk: own.jwk } }, own))
    server.answers.set('/evil', { keys: [own.jwk] })
    await refused(await sign({}, { header: { jku: `${server.issuer}/evil` } }, own))
    expect(asks('/evil')).toBe(0)
  })

  it('was changed', async () => {
    const [header, , signature] = (await sign()).split('.')
    const claims = Buffer.from(JSON.stringify(good({ client_id: 'admin' }))).toString('base64url')
    await refused(`${header}.${claims}.${signature}`)
  })

  it('is signed by an algorithm that was not allowed', async () =>
    refused(await sign(), { algorithms: ['RS256'] }))

  it.each(['x', 'x.y', 'x.y.z', 'e30.e30.e30'])('is no token: %s', async (token) => {
    await refused(token)
    expect(server.asked).toEqual([])
  })
})

describe('the keys of the authorization server', () => {
  const code = async (authenticate: Authenticate, token: string): Promise<unknown> => {
    try {
      return await authenticate(withToken(token))
    } catch (error) {
      return (error as { code: unknown }).code
    }
  }

  it('are found by its metadata and read once, also for many at a time (OAUTH-8414.3-1)', async () => {
    const authenticate = make()
    const token = await sign()
    await Promise.all(Array.from({ length: 20 }, async () => authenticate(withToken(token))))
    clock.turn(9 * minute)
    await authenticate(withToken(await sign()))
    expect(server.asked).toEqual([metadataPath, jwksPath])
  })

  it('are found by OpenID Connect discovery where there is no other', async () => {
    server.answers.set('/.well-known/openid-configuration', server.answers.get(metadataPath) ?? 404)
    server.answers.delete(metadataPath)
    expect(await make()(withToken(await sign()))).toEqual(receiver)
  })

  it('are where "jwksUri" says', async () => {
    expect(await make({ jwksUri: `${server.issuer}${jwksPath}` })(withToken(await sign()))).toEqual(
      receiver,
    )
    expect(server.asked).toEqual([jwksPath])
  })

  it('are not taken from metadata of another issuer', async () => {
    server.answers.set(metadataPath, {
      issuer: `${server.issuer}/`,
      jwks_uri: `${server.issuer}${jwksPath}`,
    })
    expect(await code(make(), await sign())).toBe('ERR_PEER_ISSUER')
  })

  it.each([7, 'ftp://idp.example/keys', 'keys'])('are not at %s', async (jwks_uri) => {
    server.answers.set(metadataPath, { issuer: server.issuer, jwks_uri })
    expect(await code(make(), await sign())).toBe('ERR_PEER_ANSWER')
  })

  it('are not asked for by tokens of another issuer or kind', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign({ iss: 'https://other.example' })))
    await authenticate(withToken(await sign({}, { header: { typ: 'secevent+jwt' } })))
    expect(server.asked).toEqual([])
  })

  it('are read anew for one that is unknown, once in 30 seconds', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign()))
    const next = await makePair('next')
    server.answers.set(jwksPath, { keys: [next.jwk] })
    expect(await authenticate(withToken(await sign({}, {}, next)))).toBeUndefined()
    clock.turn(30_000)
    expect(await authenticate(withToken(await sign({}, {}, next)))).toEqual(receiver)
    expect(asks(jwksPath)).toBe(2)
    // The key that is gone opens nothing any more.
    expect(await authenticate(withToken(await sign()))).toBeUndefined()
  })

  it('are asked for once in 30 seconds, however many unknown names come', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign()))
    clock.turn(30_000)
    const flood = Array.from({ length: 50 }, async (_, n) =>
      authenticate(withToken(await sign({}, { header: { kid: `kid-${n}` } }))),
    )
    expect(new Set(await Promise.all(flood))).toEqual(new Set([undefined]))
    expect(asks(jwksPath)).toBe(2)
  })

  it('serve for an hour while the authorization server is down', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign()))
    await server.close()
    clock.turn(59 * minute)
    expect(await code(authenticate, await sign())).toEqual(receiver)
    clock.turn(2 * minute)
    expect(await code(authenticate, await sign())).toBe('ERR_PEER_UNREACHABLE')
  })

  it('that are unknown while it is down are no fault of the token', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign()))
    server.answers.set(jwksPath, 500)
    clock.turn(30_000)
    const token = await sign({}, {}, await makePair('next'))
    expect(await code(authenticate, token)).toBe('ERR_PEER_UNREACHABLE')
    // Too early to ask again: the answer is the same.
    expect(await code(authenticate, token)).toBe('ERR_PEER_UNREACHABLE')
    expect(asks(jwksPath)).toBe(2)
  })

  it('are looked for by the metadata once, and again after they were not there', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign()))
    clock.turn(10 * minute)
    await authenticate(withToken(await sign()))
    expect([asks(metadataPath), asks(jwksPath)]).toEqual([1, 2])
    server.answers.delete(jwksPath)
    const next = await makePair('next')
    server.answers.set('/moved', { keys: [next.jwk] })
    server.answers.set(metadataPath, { issuer: server.issuer, jwks_uri: `${server.issuer}/moved` })
    clock.turn(10 * minute)
    expect(await authenticate(withToken(await sign()))).toEqual(receiver)
    clock.turn(5_000)
    expect(await authenticate(withToken(await sign({}, {}, next)))).toEqual(receiver)
  })

  it('go after ten minutes where they are withdrawn', async () => {
    const authenticate = make()
    await authenticate(withToken(await sign()))
    server.answers.set(jwksPath, { keys: [rsa.jwk] })
    clock.turn(10 * minute)
    expect(await authenticate(withToken(await sign()))).toBeUndefined()
  })

  it('are asked for again five seconds after a failure, also for their place', async () => {
    const authenticate = make()
    server.answers.set(jwksPath, 503)
    expect(await code(authenticate, await sign())).toBe('ERR_PEER_UNREACHABLE')
    server.answers.set('/moved', { keys: [pair.jwk] })
    server.answers.set(metadataPath, { issuer: server.issuer, jwks_uri: `${server.issuer}/moved` })
    expect(await code(authenticate, await sign())).toBe('ERR_PEER_UNREACHABLE')
    clock.turn(5_000)
    expect(await code(authenticate, await sign())).toEqual(receiver)
    expect(asks(jwksPath)).toBe(1)
  })

  it.each<[string, Answering]>([
    ['no keys', {}],
    ['nothing', 404],
    [
      'a refusal',
      (_request, response) => response.writeHead(403).end(JSON.stringify({ keys: [pair.jwk] })),
    ],
    ['a redirect', (_request, response) => response.writeHead(302, { location: '/moved' }).end()],
  ])('cannot be had from %s', async (_name, answer) => {
    server.answers.set('/moved', { keys: [pair.jwk] })
    server.answers.set(jwksPath, answer)
    expect(await code(make(), await sign())).toBe('ERR_PEER_ANSWER')
    expect(asks('/moved')).toBe(0)
  })

  it('that are too long are not read', async () => {
    server.answers.set(jwksPath, { keys: [pair.jwk], padding: 'x'.repeat(300_000) })
    expect(await code(make(), await sign())).toBe('ERR_PEER_ANSWER')
  })
})

describe('the API, while keys cannot be had', () => {
  it.each([
    ['is down', 500],
    ['is slow', () => undefined],
  ])('answers 503 and Retry-After when the authorization server %s', async (_name, answer) => {
    server.answers.set(metadataPath, answer)
    const transmitter = makeTransmitter({ authenticate: make({ timeoutMs: 100 }) })
    const failed: unknown[] = []
    transmitter.events.on('request:failed', ({ cause }) => failed.push(cause))
    await transmitter.start()
    const { status, headers } = await call(transmitter, 'GET /streams', { token: await sign() })
    expect([status, headers.get('retry-after')]).toEqual([503, '5'])
    expect(failed).toEqual([expect.objectContaining({ code: 'ERR_PEER_UNREACHABLE' })])
    await transmitter.stop()
  })
})

describe('the options', () => {
  it('are checked all at once', () => {
    const bad = {
      issuer: 'http://as.example',
      audience: '',
      jwksUri: 'keys',
      algorithms: ['HS256', 'none'],
      maxLifetimeSeconds: -1,
      typo: 1,
    }
    expect(() => jwtAccessTokens(bad)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          expect.stringContaining('"typo"'),
          expect.stringContaining('"issuer"'),
          expect.stringContaining('"audience"'),
          expect.stringContaining('"jwksUri"'),
          expect.stringContaining('"algorithms"'),
          expect.stringContaining('"maxLifetimeSeconds"'),
        ],
      }),
    )
  })
})
