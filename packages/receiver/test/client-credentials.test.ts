import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Clock } from '@drawbridge/core'
import { caepInterop } from '@drawbridge/schema/profiles'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, jwtVerify, type CryptoKey } from 'jose'
import {
  clientCredentials,
  createReceiver,
  type Authorize,
  type AuthorizeRequest,
  type ClientCredentialsOptions,
  type Receiver,
} from '../src/index.ts'
import {
  authorizationServer,
  json,
  type TestAuthorizationServer,
} from './support/authorization-server.ts'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'

let server: TestAuthorizationServer
let now: number
let clock: Clock

beforeEach(async () => {
  server = await authorizationServer()
  now = Date.now()
  clock = { now: () => now, sleep: () => Promise.resolve() }
})
afterEach(() => server.close())

const transmitterIssuer = 'https://transmitter.example'

const request = (more: Partial<AuthorizeRequest> = {}): AuthorizeRequest => ({
  issuer: transmitterIssuer,
  url: `${transmitterIssuer}/streams`,
  trustedOrigins: [transmitterIssuer],
  resourceMetadata: false,
  allowInsecureHttp: true,
  fetch,
  clock,
  ...more,
})

/** Gives tokens; always by a promise. */
type Ask = (asked: AuthorizeRequest) => Promise<string>

const asking = (authorize: Authorize): Ask => {
  return async (asked) => await authorize(asked)
}

const make = (options: Partial<ClientCredentialsOptions> = {}): Ask =>
  asking(
    clientCredentials({
      clientId: 'app one',
      clientSecret: 'p:ss wörd',
      issuer: server.issuer,
      ...options,
    }),
  )

const refusal = async (authorize: Ask, more?: Partial<AuthorizeRequest>): Promise<unknown> =>
  await authorize(request(more)).then(
    () => undefined,
    (error: unknown) => error,
  )

describe('the request for a token', () => {
  it('OAUTH-6749.4.4-1 CIOP-2.7.1-2: is a POST of a client credentials grant, by client_secret_basic', async () => {
    expect(await make()(request())).toBe('token-1')
    const [asked] = server.tokenRequests()
    expect(asked?.form.get('grant_type')).toBe('client_credentials')
    expect(asked?.form.has('client_secret')).toBe(false)
    const [scheme, basic = ''] = asked?.headers.authorization?.split(' ') ?? []
    expect(scheme).toBe('Basic')
    expect(Buffer.from(basic, 'base64').toString()).toBe('app+one:p%3Ass+w%C3%B6rd')
  })

  it('OAUTH-6749.3.3-1 CIOP-2.7.2-2: asks for ssf.read and ssf.manage, or the scopes that are given', async () => {
    await make()(request())
    await make({ scopes: ['a', 'b'] })(request())
    await make({ scopes: [] })(request())
    expect(server.tokenRequests().map(({ form }) => form.get('scope'))).toEqual([
      'ssf.read ssf.manage',
      'a b',
      null,
    ])
  })

  it('names audience and resource where they are given', async () => {
    const resource = 'https://transmitter.example/ssf'
    await make({ audience: 'signals', resource })(request())
    const [asked] = server.tokenRequests()
    expect([asked?.form.get('audience'), asked?.form.get('resource')]).toEqual([
      'signals',
      resource,
    ])
  })

  it('by client_secret_post has the secret in the body and no Authorization field', async () => {
    await make({ method: 'client_secret_post' })(request())
    const [asked] = server.tokenRequests()
    expect(asked?.form.get('client_id')).toBe('app one')
    expect(asked?.form.get('client_secret')).toBe('p:ss wörd')
    expect(asked?.headers.authorization).toBeUndefined()
  })

  describe('by private_key_jwt', () => {
    const assertionOf = async (key: CryptoKey): ReturnType<typeof jwtVerify> => {
      const form = server.tokenRequests()[0]?.form
      expect(form?.get('client_assertion_type')).toBe(
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      )
      const currentDate = new Date(now)
      const options = { currentDate, clockTolerance: 5 }
      return await jwtVerify(form?.get('client_assertion') ?? '', key, options)
    }

    it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signs with a JWK for %s', async (alg) => {
      const pair = await generateKeyPair(alg, { extractable: true })
      const jwk = await exportJWK(pair.privateKey)
      const kid = await calculateJwkThumbprint(jwk)
      const privateKey = { ...jwk, alg, kid, use: 'sig', key_ops: ['sign'] }
      await clientCredentials({ clientId: 'app', privateKey, issuer: server.issuer })(request())
      const { payload, protectedHeader } = await assertionOf(pair.publicKey)
      expect(protectedHeader).toMatchObject({ alg, kid })
      expect(payload).toMatchObject({ iss: 'app', sub: 'app', aud: server.issuer })
    })

    it('signs with a CryptoKey, by the clock of the Receiver, for the endpoint where no issuer is given', async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256')
      now += 86_400_000
      const tokenEndpoint = `${server.issuer}/token`
      await clientCredentials({ clientId: 'app', privateKey, kid: 'k', tokenEndpoint })(request())
      const { payload, protectedHeader } = await assertionOf(publicKey)
      expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k' })
      expect(payload.aud).toBe(tokenEndpoint)
      expect(payload.iat).toBeGreaterThan(now / 1000 - 60)
      expect(server.requests.map(({ line }) => line)).toEqual(['POST /token'])
    })
  })
})

describe('a token', () => {
  it('OAUTH-6749.5.1-1: is kept, asked for once however many wait, and renewed before it expires', async () => {
    const authorize = make()
    const all = await Promise.all([authorize(request()), authorize(request())])
    expect(all).toEqual(['token-1', 'token-1'])
    now += 3_539_000
    expect(await authorize(request())).toBe('token-1')
    now += 1_000
    expect(await authorize(request())).toBe('token-2')
    expect(server.tokenRequests()).toHaveLength(2)
  })

  it('of a short life is renewed a tenth of it before the end', async () => {
    server.answer('POST /token', (response) =>
      json(response, 200, {
        access_token: `t${server.tokenRequests().length}`,
        token_type: 'bEaReR',
        expires_in: 100,
      }),
    )
    const authorize = make()
    await authorize(request())
    now += 89_999
    expect(await authorize(request())).toBe('t1')
    now += 1
    expect(await authorize(request())).toBe('t2')
  })

  it('OAUTH-6749.5.1-1: that was refused is replaced, once for all who were refused it', async () => {
    const authorize = make()
    const rejected = await authorize(request())
    const again = [authorize(request({ rejected })), authorize(request({ rejected }))]
    expect(await Promise.all(again)).toEqual(['token-2', 'token-2'])
    expect(await authorize(request({ rejected }))).toBe('token-2')
    expect(server.tokenRequests()).toHaveLength(2)
  })

  it('without expires_in is good until it is refused', async () => {
    server.answer('POST /token', { access_token: 'lasting', token_type: 'Bearer' })
    const authorize = make()
    await authorize(request())
    now += 1e12
    expect(await authorize(request())).toBe('lasting')
    expect(server.tokenRequests()).toHaveLength(1)
  })

  it('is used as long as it lasts where it cannot be renewed, and not longer', async () => {
    const authorize = make()
    await authorize(request())
    server.answer('POST /token', (response) => json(response, 503, {}))
    now += 3_599_999
    expect(await authorize(request())).toBe('token-1')
    now += 1
    expect(await refusal(authorize)).toMatchObject({ name: 'PeerUnavailableError' })
  })

  it('is that of one Transmitter: another gets its own', async () => {
    const authorize = make()
    expect(await authorize(request())).toBe('token-1')
    expect(await authorize(request({ issuer: 'https://other.example' }))).toBe('token-2')
    expect(await authorize(request())).toBe('token-1')
  })

  it.each([
    [{ access_token: 't', token_type: 'DPoP' }],
    [{ access_token: 't', token_type: 'mac' }],
    [{ access_token: 't' }],
    [{ token_type: 'Bearer' }],
    [{ access_token: 7, token_type: 'Bearer' }],
    [[]],
  ])('is none where the answer is %j', async (answer) => {
    server.answer('POST /token', answer)
    const error = await refusal(make())
    expect(error).toMatchObject({ name: 'PeerError', code: 'ERR_PEER_ANSWER' })
  })
})

describe('an authorization server', () => {
  it.each([429, 500, 503])('that answers %i is asked again later', async (status) => {
    server.answer('POST /token', (response) => json(response, status, {}, { 'retry-after': '7' }))
    const authorize = make()
    expect(await refusal(authorize)).toMatchObject({
      code: 'ERR_PEER_UNREACHABLE',
      retryAfterMs: 7000,
    })
    server.answer('POST /token', { access_token: 'late', token_type: 'Bearer' })
    expect(await authorize(request())).toBe('late')
  })

  it('that refuses the client is named, with its own words left out', async () => {
    const said = 'you <b>fool</b>'
    server.answer('POST /token', (response) =>
      json(response, 401, { error: 'invalid_client', error_description: said }),
    )
    const error = await refusal(make())
    expect(error).toMatchObject({ name: 'PeerError', code: 'ERR_PEER_ANSWER' })
    expect((error as Error).message).toMatch(/"clientId"/)
    expect(inspect(error)).not.toContain('fool')
  })

  it('that sends garbage, or too much, gives no token, and no error shows what it sent', async () => {
    server.answer('POST /token', (response) => response.end('{"access_token": "s3cret"'))
    const error = await refusal(make())
    expect(error).toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(inspect(error)).not.toContain('s3cret')
    server.answer('POST /token', (response) => json(response, 200, 'x'.repeat(300_000)))
    expect(await refusal(make())).toMatchObject({ code: 'ERR_PEER_ANSWER' })
  })

  it('that redirects is not followed', async () => {
    server.answer('POST /token', (response) =>
      json(response, 307, {}, { location: `${server.issuer}/elsewhere` }),
    )
    expect(await refusal(make())).toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(server.requests.map(({ line }) => line)).not.toContain('POST /elsewhere')
  })

  it('is one over https, unless http is allowed', async () => {
    const tokenEndpoint = `${server.issuer}/token`
    const error = await refusal(make({ tokenEndpoint }), { allowInsecureHttp: false })
    expect(error).toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(server.requests).toEqual([])
  })

  it('OAUTH-8414.3-1 CIOP-2.7.1-1: has metadata whose issuer is the one that was asked', async () => {
    const line = 'GET /.well-known/oauth-authorization-server/tenant'
    const answer = { issuer: server.issuer, token_endpoint: `${server.issuer}/token` }
    server.answer(line, answer)
    const issuer = `${server.issuer}/tenant`
    expect(await refusal(make({ issuer }))).toMatchObject({ code: 'ERR_PEER_ANSWER' })
    server.answer(line, { ...answer, issuer })
    expect(await make({ issuer })(request())).toBe('token-1')
  })

  it('may have OpenID Connect metadata instead', async () => {
    const issuer = `${server.issuer}/realm`
    server.answer('GET /realm/.well-known/openid-configuration', {
      issuer,
      token_endpoint: `${server.issuer}/token`,
    })
    expect(await make({ issuer })(request())).toBe('token-1')
  })
})

describe('the metadata of the protected resource', () => {
  const line = 'GET /.well-known/oauth-protected-resource'
  /** A Transmitter that is its own authorization server. */
  const own = (): Partial<AuthorizeRequest> => ({
    issuer: server.issuer,
    url: `${server.issuer}/streams`,
    trustedOrigins: [server.issuer],
  })
  const unnamed = (): Ask => asking(clientCredentials({ clientId: 'app', clientSecret: 's' }))

  it('CIOP-2.7.2-1: names the authorization server and the scopes', async () => {
    server.answer(line, {
      resource: server.issuer,
      authorization_servers: [server.issuer],
      scopes_supported: ['openid', 'ssf.read', 'ssf.manage.create'],
    })
    expect(await unnamed()(request(own()))).toBe('token-1')
    expect(server.tokenRequests()[0]?.form.get('scope')).toBe('ssf.read ssf.manage.create')
  })

  it('CIOP-2.7.2-1: is read for the scopes where the profile says so, and only there', async () => {
    server.answer(line, { resource: server.issuer, scopes_supported: ['signals'] })
    await make()(request(own()))
    await make()(request({ ...own(), resourceMetadata: true }))
    const scopes = server.tokenRequests().map(({ form }) => form.get('scope'))
    expect(scopes).toEqual(['ssf.read ssf.manage', 'signals'])
    expect(caepInterop.discovery.resourceMetadata).toBe(true)
  })

  it('CIOP-2.7.2-2: where there is none, or without scopes, asks for those of SSF', async () => {
    await make()(request({ ...own(), resourceMetadata: true }))
    server.answer(line, { resource: server.issuer })
    await make()(request({ ...own(), resourceMetadata: true }))
    const scopes = server.tokenRequests().map(({ form }) => form.get('scope'))
    expect(scopes).toEqual(['ssf.read ssf.manage', 'ssf.read ssf.manage'])
  })

  it('OAUTH-9728.3.3-1: is discarded when it is that of another resource', async () => {
    const metadata = { authorization_servers: [server.issuer], scopes_supported: ['evil'] }
    for (const resource of ['https://elsewhere.example', `${server.issuer}/`]) {
      server.answer(line, { ...metadata, resource })
      expect(await refusal(unnamed(), own())).toMatchObject({ code: 'ERR_PEER_ANSWER' })
    }
    await make()(request({ ...own(), resourceMetadata: true }))
    expect(server.tokenRequests().map(({ form }) => form.get('scope'))).toEqual([
      'ssf.read ssf.manage',
    ])
  })

  it('may be named by the endpoint itself, of which it is a part', async () => {
    const resource = `${server.issuer}/ssf`
    const url = `${resource}/streams`
    const named = (metadataUrl: string): void =>
      server.answer('GET /ssf/streams', (response) =>
        json(
          response,
          401,
          {},
          { 'www-authenticate': `Bearer resource_metadata="${metadataUrl}"` },
        ),
      )
    server.answer(`${line}/ssf`, { resource, authorization_servers: [server.issuer] })
    server.answer(`${line}/other`, {
      resource: `${server.issuer}/other`,
      authorization_servers: [server.issuer],
    })
    for (const path of ['/other', '/.well-known/oauth-protected-resource/other']) {
      named(`${server.issuer}${path}`)
      expect(await refusal(unnamed(), { ...own(), url })).toMatchObject({ code: 'ERR_PEER_ANSWER' })
    }
    named(`${server.issuer}/.well-known/oauth-protected-resource/ssf`)
    expect(await unnamed()(request({ ...own(), url }))).toBe('token-1')
    const asked = server.requests.filter((seen) => seen.line === 'GET /ssf/streams')
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('cannot have our secret sent to a server of its choice', async () => {
    const other = await authorizationServer()
    try {
      server.answer(line, { resource: server.issuer, authorization_servers: [other.issuer] })
      const error = await refusal(unnamed(), own())
      expect((error as Error).message).toMatch(/"trustedOrigins"/)
      expect(other.requests).toEqual([])
      const trustedOrigins = [server.issuer, other.issuer]
      expect(await unnamed()(request({ ...own(), trustedOrigins }))).toBe('token-1')
    } finally {
      await other.close()
    }
  })
})

describe('options', () => {
  it('are checked together, and no secret shows', async () => {
    const wrong = {
      clientId: '',
      method: 'tls',
      issuer: 'nowhere',
      scopes: ['a b'],
      secret: 'x',
    } as unknown as ClientCredentialsOptions
    expect(() => clientCredentials(wrong)).toThrow(
      /"secret".*"clientId".*"method".*"clientSecret".*"issuer".*"scopes"/,
    )
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256' }
    for (const privateKey of [jwk, publicKey, {}]) {
      expect(() => clientCredentials({ clientId: 'a', privateKey })).toThrow(/"privateKey"/)
    }
  })
})

describe('a Receiver with client credentials', () => {
  let transmitter: FakeTransmitter
  let receiver: Receiver
  beforeEach(async () => {
    transmitter = await fakeTransmitter()
    receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: clientCredentials({
        clientId: 'app',
        clientSecret: 's',
        tokenEndpoint: `${server.issuer}/token`,
      }),
      allowInsecureHttp: true,
    })
  })
  afterEach(async () => {
    await receiver.stop()
    await transmitter.close()
  })

  it('OAUTH-6750.2.1-1 SSF-7.1.1-4 SSF-7.1.1-5: sends the token, a new one once after 401, and goes on', async () => {
    transmitter.answerNext('POST /streams', 401)
    await receiver.start()
    const sent = transmitter.requests
      .filter(({ line }) => line === 'POST /streams')
      .map(({ headers }) => headers.authorization)
    expect(sent).toEqual(['Bearer token-1', 'Bearer token-2'])
    await receiver.verified()
  })

  it('repeats a request once only: a second 401 stands', async () => {
    transmitter.answerNext('GET /streams', 401)
    transmitter.answerNext('GET /streams', 401)
    await expect(receiver.start()).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(transmitter.requests.filter(({ line }) => line === 'GET /streams')).toHaveLength(2)
    expect(server.tokenRequests()).toHaveLength(2)
  })

  it('tries again while the token endpoint is down', async () => {
    server.answer('POST /token', (response) => {
      server.answer('POST /token', { access_token: 'back', token_type: 'Bearer' })
      json(response, 503, {})
    })
    await receiver.start()
    expect(transmitter.requests.find(({ line }) => line === 'GET /streams')?.headers).toMatchObject(
      { authorization: 'Bearer back' },
    )
  })

  it('that is stopped does not wait for a token endpoint that hangs', async () => {
    const asked = new Promise<ServerResponse>((resolve) => {
      server.answer('POST /token', (response) => resolve(response))
    })
    const started = receiver.start()
    const outcome = expect(started).rejects.toThrow('the Receiver was stopped')
    await asked
    await receiver.stop()
    await outcome
  })
})
