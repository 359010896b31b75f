import { describe, expect, it } from '@jest/globals'
import { aliases, email, issSub, StorageError, type SubjectIdentifier } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import {
  createPolicy,
  memoryLedger,
  tokenRevocationEndpoint,
  tokenRevocationEvent,
  type EnforcementOptions,
  type Revocation,
  type RevocationRefusal,
  type TokenRevocationEndpointOptions,
} from '@drawbridge/enforcement'
import { alice, aliceSince, idp, noon, revoked, startedNode, type TestNode } from './signals.ts'

const place = 'https://app.example/global-token-revocation'
const json = { 'content-type': 'application/json' }

interface Asking {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | null
}

const ask = ({ method = 'POST', headers = json, body }: Asking = {}, url = place): Request => {
  const about = body === undefined ? JSON.stringify({ sub_id: alice }) : body
  return new Request(url, { method, headers, ...(method === 'POST' && { body: about }) })
}
const about = (sub_id: unknown): Request => ask({ body: JSON.stringify({ sub_id }) })

interface Site extends TestNode {
  /** Answers a request. */
  readonly answer: (request?: Request) => Promise<Response>
  /** What `onFailure` was told of. */
  readonly failures: unknown[]
}

/** An endpoint before an enforcement, a minute after noon. */
async function siteWith(
  options: Partial<TokenRevocationEndpointOptions> = {},
  parts: Partial<EnforcementOptions> = {},
): Promise<Site> {
  const node = await startedNode(parts)
  const failures: unknown[] = []
  const endpoint = tokenRevocationEndpoint(node.enforcement, {
    authenticate: () => idp,
    clock: node.clock,
    onFailure: (error) => failures.push(error),
    ...options,
  })
  return { ...node, failures, answer: (request = ask()) => endpoint.fetch(request) }
}

const outcome = ({ enforcement }: TestNode, seconds = -60): string =>
  enforcement.check(aliceSince(seconds)).outcome

describe('tokenRevocationEndpoint', () => {
  it('answers 204 when all that the user began until now has ended', async () => {
    const site = await siteWith({ newId: () => 'req-1' })
    const response = await site.answer()
    expect([response.status, await response.text()]).toEqual([204, ''])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(outcome(site)).toBe('refuse')
    expect(outcome(site, 61)).toBe('allow')
    expect(site.told('signal:applied')).toMatchObject([
      { cause: { iss: idp, type: TokensRevoked.uri, jti: 'req-1' }, subject: alice },
    ])
  })
  it('does not wait for less than what is durable', async () => {
    const memory = memoryLedger()
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const ledger = { ...memory, write: (entry: never) => released.then(() => memory.write(entry)) }
    const site = await siteWith({}, { ledger })
    let isAnswered = false
    const answering = site.answer().finally(() => (isAnswered = true))
    await new Promise(setImmediate)
    expect(isAnswered).toBe(false)
    release()
    expect((await answering).status).toBe(204)
  })
  it('is at a path, and nowhere else', async () => {
    const { enforcement } = await startedNode()
    const authenticate = () => idp
    const usual = tokenRevocationEndpoint(enforcement, { authenticate })
    const own = tokenRevocationEndpoint(enforcement, { authenticate, path: '/okta/logout' })
    expect(['/global-token-revocation', '/okta/logout', '/'].map(usual.serves)).toEqual([
      true,
      false,
      false,
    ])
    expect(own.serves('/okta/logout')).toBe(true)
    expect((await own.fetch(ask())).status).toBe(404)
    expect((await own.fetch(ask({}, 'https://app.example/okta/logout?a=b'))).status).toBe(204)
  })
  it.each(['GET', 'PUT', 'DELETE'])('answers %s with what it takes', async (method) => {
    const site = await siteWith({ authenticate: () => undefined })
    const { status, headers } = await site.answer(ask({ method }))
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  })
  it.each([undefined, '', null, true, { issuer: idp }])(
    'answers 401 where "authenticate" says %j',
    async (issuer) => {
      const site = await siteWith({ authenticate: async () => issuer as never })
      const { status, headers } = await site.answer()
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
      const again = await site.answer(ask({ headers: { ...json, authorization: 'Bearer x' } }))
      expect(again.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
      expect(outcome(site)).toBe('allow')
    },
  )
  it('authenticates by the request, before it looks at the body', async () => {
    const seen: (string | null)[] = []
    const site = await siteWith({
      authenticate: ({ headers }) => {
        seen.push(headers.get('authorization'))
        return undefined
      },
    })
    const headers = { authorization: 'Bearer at-1', 'content-type': 'text/plain' }
    expect((await site.answer(ask({ headers, body: 'x' }))).status).toBe(401)
    expect(seen).toEqual(['Bearer at-1'])
  })
  it.each<[string, number, string, Asking]>([
    [
      'another type',
      415,
      'the Content-Type',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    ['no type', 415, 'the Content-Type', { headers: {}, body: new Uint8Array([0x7b, 0x7d]) }],
    ['text that is no JSON', 400, 'not JSON', { body: 'sub_id=alice' }],
    ['the same member twice', 400, 'occurs twice', { body: '{"sub_id":{},"sub_id":{}}' }],
    ['no body', 400, 'not JSON', { body: null }],
    ['bytes that are no text', 400, 'not UTF-8', { body: new Uint8Array([0x7b, 0xff, 0x7d]) }],
    ['no subject', 400, '"sub_id" must be there', { body: '{}' }],
    ['an unknown format', 400, 'must be one of', { body: '{"sub_id":{"format":"x","id":"1"}}' }],
    [
      'more than 64 KiB',
      413,
      'at most 65536 bytes',
      { body: JSON.stringify({ sub_id: alice, x: 'x'.repeat(65_536) }) },
    ],
  ])('refuses %s with %i', async (_, status, text, asking) => {
    const site = await siteWith()
    const response = await site.answer(ask(asking))
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({
      err: 'invalid_request',
      description: expect.stringContaining(text),
    })
    expect([outcome(site), site.failures]).toEqual(['allow', []])
  })
  it('takes JSON with parameters of its type', async () => {
    const site = await siteWith()
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect((await site.answer(ask({ headers }))).status).toBe(204)
  })
  it('refuses a format that the application cannot find users by, and says which it can', async () => {
    const site = await siteWith({ formats: ['iss_sub'] })
    const response = await site.answer(about(email('alice@app.example')))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('must be one of iss_sub')
  })
  it.each<[RevocationRefusal, number]>([
    ['forbidden', 403],
    ['unknown-user', 404],
    ['unable', 422],
  ])('answers what the application says: %s is %i', async (refusal, status) => {
    const site = await siteWith({ refuse: async () => refusal })
    const { status: given, headers } = await site.answer()
    expect(given).toBe(status)
    expect(headers.get('www-authenticate')).toBe(
      status === 403 ? 'Bearer error="insufficient_scope"' : null,
    )
    expect([outcome(site), site.told('signal:applied')]).toEqual(['allow', []])
  })
  it('asks the application about the user, the issuer and the request', async () => {
    const asked: Revocation[] = []
    const site = await siteWith({
      refuse: (one) => {
        asked.push(one)
        return undefined
      },
    })
    const request = ask()
    expect((await site.answer(request)).status).toBe(204)
    expect(asked).toEqual([{ subject: alice, issuer: idp, request }])
    expect(asked[0]?.request).toBe(request)
  })
  it.each<[string, Partial<TokenRevocationEndpointOptions>, Partial<EnforcementOptions>]>([
    ['authenticate', { authenticate: () => Promise.reject(new Error('boom')) }, {}],
    ['refuse', { refuse: () => Promise.reject(new Error('boom')) }, {}],
    [
      'newId',
      {
        newId: () => {
          throw new Error('boom')
        },
      },
      {},
    ],
    ['resolve', {}, { resolve: () => Promise.reject(new Error('boom')) }],
    [
      'write',
      {},
      { ledger: { ...memoryLedger(), write: () => Promise.reject(new Error('boom')) } },
    ],
  ])('answers 503 where "%s" fails, and tells why', async (_, options, parts) => {
    const site = await siteWith(options, parts)
    const response = await site.answer()
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.text()).not.toContain('boom')
    expect(site.failures).toMatchObject([{ message: expect.stringContaining('boom') }])
  })
  it('answers 503 where the enforcement is not started', async () => {
    const site = await siteWith()
    await site.enforcement.stop()
    expect((await site.answer()).status).toBe(503)
    const [failure] = site.failures as StorageError[]
    expect(failure?.code).toBe('ERR_STORAGE_UNAVAILABLE')
  })
  it('answers 503 where "onFailure" fails too', async () => {
    const printed: unknown[] = []
    const { error } = console
    console.error = (...texts) => void printed.push(texts)
    try {
      const authenticate = () => Promise.reject(new Error('boom'))
      const site = await siteWith({
        authenticate,
        onFailure: () => {
          throw new Error('bang')
        },
      })
      expect((await site.answer()).status).toBe(503)
      const { enforcement } = site
      const silent = tokenRevocationEndpoint(enforcement, { authenticate })
      expect((await silent.fetch(ask())).status).toBe(503)
    } finally {
      console.error = error
    }
    expect(printed.flat().map(String)).toEqual([
      expect.stringContaining('drawbridge:'),
      'Error: bang',
      expect.stringContaining('drawbridge:'),
      'Error: boom',
    ])
  })
  it('answers 422 where the policy has no rule for it', async () => {
    const policy = createPolicy([{ on: SessionRevoked, effect: 'terminate' }])
    const site = await siteWith({}, { policy })
    expect((await site.answer()).status).toBe(422)
    expect(site.told('signal:ignored')).toHaveLength(1)
  })
  it('answers 422 for an address that the mandate does not have', async () => {
    const mandates = { [idp]: { emailDomains: ['customer.example'] } }
    const site = await siteWith({}, { mandates })
    expect((await site.answer(about(email('alice@app.example')))).status).toBe(422)
    expect((await site.answer(about(email('Alice@Customer.example')))).status).toBe(204)
  })
  it.each<[string, SubjectIdentifier]>([
    ['an address in capitals', email('ALICE@App.Example')],
    ['an alias of the issuer', issSub('https://login.idp.example', 'alice')],
    ['several names', aliases(email('ALICE@App.Example'), alice)],
    ['an opaque id', { format: 'opaque', id: 'u-1' }],
  ])('finds what it has recorded of %s', async (_, subject) => {
    const issuerAliases = { [idp]: ['https://login.idp.example'] }
    const site = await siteWith({}, { issuerAliases })
    expect((await site.answer(about(subject))).status).toBe(204)
  })
  it('answers 204 where the same was said with a later time', async () => {
    const site = await siteWith()
    const ahead = { now: () => (noon + 61) * 1000 }
    const event = tokenRevocationEvent({ sub_id: alice }, { issuer: idp, clock: ahead })
    await site.enforcement.apply(event)
    expect((await site.answer()).status).toBe(204)
    expect(site.told('signal:applied')).toMatchObject([{ changed: true }, { changed: false }])
  })
  it('answers 204 to two requests in one moment', async () => {
    const ids = ['z', 'a']
    const site = await siteWith({ newId: () => ids.shift() ?? '' })
    expect([await site.answer(), await site.answer()].map(({ status }) => status)).toEqual([
      204, 204,
    ])
    expect(site.told('signal:applied')).toMatchObject([{ changed: true }, { changed: false }])
  })
  it('finds what it has recorded of an issuer by another name', async () => {
    const login = 'https://login.idp.example'
    const site = await siteWith(
      { authenticate: () => login },
      { issuerAliases: { [idp]: [login] } },
    )
    expect((await site.answer()).status).toBe(204)
    expect(outcome(site)).toBe('refuse')
  })
  it('does not take another signal, or an earlier one, for this one', async () => {
    const ledger = memoryLedger()
    const before = await siteWith({}, { ledger })
    expect((await before.answer()).status).toBe(204)
    await before.enforcement.stop()
    const policy = createPolicy([{ on: SessionRevoked, effect: 'terminate' }])
    const site = await siteWith({}, { ledger, policy })
    await site.enforcement.apply(revoked(alice, { at: noon + 61 }))
    await site.clock.advance(1)
    expect((await site.answer()).status).toBe(422)
  })
  it('does not take what another issuer said for its own', async () => {
    const other = 'https://other.example'
    const site = await siteWith({}, { mandates: { [idp]: { emailDomains: [] } } })
    const mail = email('alice@app.example')
    const ahead = { now: () => (noon + 61) * 1000 }
    const event = tokenRevocationEvent({ sub_id: mail }, { issuer: other, clock: ahead })
    await site.enforcement.apply(event)
    expect((await site.answer(about(mail))).status).toBe(422)
  })
  it('judges its options together', () => {
    const wrong = {
      path: 'logout',
      refuse: 1,
      onFailure: null,
      formats: 1,
      clock: 1,
      newId: 1,
      x: 1,
    }
    expect(() => tokenRevocationEndpoint({} as never, wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"x" is not an option',
          '"authenticate" must be a function that tells which identity provider a request is from',
          '"path" must be a path that begins with "/"',
          '"refuse" must be a function',
          '"onFailure" must be a function',
          expect.stringContaining('"formats" must be'),
          '"clock" must have "now"',
          '"newId" must be a function',
        ],
      }),
    )
    expect(() => tokenRevocationEndpoint({} as never, undefined as never)).toThrow('"authenticate"')
    const at = (path: string) => () =>
      tokenRevocationEndpoint({} as never, { authenticate: () => idp, path })
    for (const path of ['', '/a?b', '/a#b', '/a b']) expect(at(path)).toThrow('"path"')
  })
})
