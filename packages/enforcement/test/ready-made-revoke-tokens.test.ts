import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import {
  clientSecretBasic,
  clientSecretPost,
  revokeTokens,
  type RevokeTokensOptions,
} from '@drawbridge/enforcement/hooks'
import {
  callWith,
  endless,
  failureOf,
  peerThat,
  silence,
  status,
  type HttpPeer,
} from './ready-made-peer.ts'

const options = (
  { url }: Pick<HttpPeer, 'url'>,
  more: Partial<RevokeTokensOptions> = {},
): RevokeTokensOptions => ({
  endpoint: url,
  authenticate: clientSecretBasic('app', 'secret'),
  tokensOf: () => [{ token: 'rt-1', token_type_hint: 'refresh_token' }],
  allowInsecureHttp: true,
  ...more,
})

const form = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body))

const tokens = (...names: string[]) => ({ tokensOf: () => names.map((token) => ({ token })) })

describe('revokeTokens', () => {
  it('posts each token with its hint, as a form', async () => {
    const peer = await peerThat(status(200))
    const calls: unknown[] = []
    const call = callWith()
    const tokensOf: RevokeTokensOptions['tokensOf'] = async (given) => {
      calls.push(given)
      return [{ token: 'a&b=c', token_type_hint: 'refresh_token' }, { token: 'two' }]
    }
    await revokeTokens(options(peer, { tokensOf }))(call)
    expect(calls).toEqual([call])
    expect(peer.asked.map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/endpoint'],
      ['POST', '/endpoint'],
    ])
    expect(peer.asked[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(new Set(peer.asked.map(({ body }) => body))).toEqual(
      new Set(['token=a%26b%3Dc&token_type_hint=refresh_token', 'token=two']),
    )
  })
  it('asks for nothing where there is no token', async () => {
    const peer = await peerThat(status(500))
    await revokeTokens(options(peer, tokens()))(callWith())
    expect(peer.asked).toEqual([])
  })
  it('authenticates with client_secret_basic, id and secret form-encoded first', async () => {
    const peer = await peerThat(status(200))
    const authenticate = clientSecretBasic('app:1 é', 'p%+ :')
    await revokeTokens(options(peer, { authenticate }))(callWith())
    const [scheme, value = ''] = peer.asked[0]?.headers.authorization?.split(' ') ?? []
    expect([scheme, atob(value)]).toEqual(['Basic', 'app%3A1+%C3%A9:p%25%2B+%3A'])
    expect(form(peer.asked[0]?.body)).not.toHaveProperty('client_secret')
  })
  it('authenticates with client_secret_post', async () => {
    const peer = await peerThat(status(200))
    const authenticate = clientSecretPost('app', 's&t')
    await revokeTokens(options(peer, { authenticate }))(callWith())
    expect(peer.asked[0]?.headers).not.toHaveProperty('authorization')
    expect(form(peer.asked[0]?.body)).toEqual({
      client_id: 'app',
      client_secret: 's&t',
      token: 'rt-1',
      token_type_hint: 'refresh_token',
    })
  })
  it('lets a function authenticate anew for each request, which changes neither token nor type', async () => {
    const peer = await peerThat(status(200))
    let serial = 0
    const authenticate = async () => ({
      headers: { 'x-proof': `p${++serial}`, 'content-type': 'text/plain' },
      parameters: { client_assertion: `a${serial}`, token: 'another' },
    })
    await revokeTokens(options(peer, { authenticate, ...tokens('one', 'two') }))(callWith())
    const seen = peer.asked.map(({ headers, body }) => [
      headers['x-proof'],
      headers['content-type'],
      form(body)['client_assertion'],
      form(body)['token'],
    ])
    const type = 'application/x-www-form-urlencoded'
    expect(seen.toSorted()).toEqual([
      ['p1', type, 'a1', 'one'],
      ['p2', type, 'a2', 'two'],
    ])
  })
  it('goes on with a token of a type that is not revoked, tells of it, and is done', async () => {
    const unsupported = status(400, { error: 'unsupported_token_type' })
    const peer = await peerThat((response, asked) =>
      (asked.body.includes('jwt') ? unsupported : status(200))(response, asked),
    )
    const told: unknown[] = []
    const onUnsupportedTokenType = (token: unknown) => told.push(token)
    const more = { ...tokens('jwt', 'rt'), onUnsupportedTokenType }
    await revokeTokens(options(peer, more))(callWith())
    await revokeTokens(options(peer, tokens('jwt')))(callWith())
    expect(told).toEqual([{ token: 'jwt' }])
    expect(peer.asked).toHaveLength(3)
  })
  it.each([
    [400, 'ERR_PEER_ANSWER'],
    [401, 'ERR_PEER_ANSWER'],
    [403, 'ERR_PEER_ANSWER'],
    [404, 'ERR_PEER_ANSWER'],
    [204, 'ERR_PEER_ANSWER'],
    [429, 'ERR_PEER_UNREACHABLE'],
    [500, 'ERR_PEER_UNREACHABLE'],
    [503, 'ERR_PEER_UNREACHABLE'],
  ])('fails on %i, to be tried again', async (code, expected) => {
    const body = code === 204 ? undefined : { error: 'invalid_request', error_description: 'boo' }
    const peer = await peerThat(status(code, body))
    const { message, errors } = await failureOf(revokeTokens(options(peer))(callWith()))
    expect(message).toBe('1 of 1 tokens were not revoked')
    expect(errors.map((error) => [error.name, error.code])).toEqual([['PeerError', expected]])
    expect(errors[0]?.message).toContain(`the authorization server answered ${code}`)
    expect(inspect(errors)).not.toContain('boo')
  })
  it('takes unsupported_token_type from a 400 alone', async () => {
    const peer = await peerThat(status(401, { error: 'unsupported_token_type' }))
    await expect(revokeTokens(options(peer))(callWith())).rejects.toThrow('1 of 1')
  })
  it('says how long the server asked to wait: the longest of all', async () => {
    const waits: Record<string, string> = { a: '7', b: 'Sat, 21 Nov 2026 00:02:00 GMT', c: '1' }
    const peer = await peerThat((response, asked) =>
      status(
        503,
        {},
        { 'retry-after': waits[form(asked.body)['token'] ?? ''] ?? '' },
      )(response, asked),
    )
    const clock = { now: () => Date.UTC(2026, 10, 21) }
    const hook = revokeTokens(options(peer, { ...tokens('a', 'b', 'c'), clock }))
    const { errors, retryAfterMs } = await failureOf(hook(callWith()))
    expect(errors.map((error) => error.retryAfterMs).toSorted()).toEqual([1000, 120_000, 7000])
    expect(retryAfterMs).toBe(120_000)
  })
  it('revokes the others where one fails, a few at once', async () => {
    let now = 0
    let most = 0
    const peer = await peerThat((response, asked) => {
      most = Math.max(most, ++now)
      setImmediate(() => {
        now--
        status(form(asked.body)['token'] === 't0' ? 500 : 200)(response, asked)
      })
    })
    const names = Array.from({ length: 40 }, (_, index) => `t${index}`)
    const hook = revokeTokens(options(peer, tokens(...names)))
    await expect(hook(callWith())).rejects.toThrow('1 of 40 tokens were not revoked')
    expect(peer.asked).toHaveLength(40)
    expect(most).toBeLessThanOrEqual(8)
  })
  it('keeps the first ten of many errors', async () => {
    const peer = await peerThat(status(500))
    const names = Array.from({ length: 12 }, (_, index) => `t${index}`)
    const { message, errors } = await failureOf(
      revokeTokens(options(peer, tokens(...names)))(callWith()),
    )
    expect([message, errors.length]).toEqual(['12 of 12 tokens were not revoked', 10])
  })
  it('names a token that is none, and revokes the others', async () => {
    const peer = await peerThat(status(200))
    const tokensOf = () => [undefined, { token: '' }, { token: 'rt' }] as { token: string }[]
    const { errors } = await failureOf(revokeTokens(options(peer, { tokensOf }))(callWith()))
    expect(errors.map(({ message }) => message)).toEqual([
      'tokensOf: "token" must be a non-empty string',
      'tokensOf: "token" must be a non-empty string',
    ])
    expect(peer.asked.map(({ body }) => body)).toEqual(['token=rt'])
  })
})

describe('a hostile authorization server', () => {
  it('that redirects gets no token elsewhere', async () => {
    const other = await peerThat(status(200))
    const peer = await peerThat(status(307, undefined, { location: other.url }))
    const { errors } = await failureOf(revokeTokens(options(peer))(callWith()))
    expect(errors[0]?.message).toBe(
      'the authorization server answered 307: redirects are not followed',
    )
    expect(other.asked).toEqual([])
  })
  it('that does not answer is left when the time is over', async () => {
    const peer = await peerThat(silence)
    const time = new AbortController()
    const hook = revokeTokens(options(peer, tokens('one', ...Array<string>(20).fill('more'))))
    const failed = failureOf(hook(callWith({ signal: time.signal })))
    while (peer.asked.length < 8) await new Promise(setImmediate)
    time.abort()
    expect((await failed).name).toBe('AbortError')
    await peer.idle()
    expect(peer.asked).toHaveLength(8)
  })
  it.each([
    ['success', 200, true],
    ['refusal', 500, false],
    ['400', 400, false],
  ])('that answers without end is not listened to: %s', async (_, code, succeeds) => {
    const peer = await peerThat(endless(code))
    const hook = revokeTokens(options(peer))
    const outcome = await Promise.resolve(hook(callWith())).then(
      () => true,
      () => false,
    )
    expect(outcome).toBe(succeeds)
    await peer.idle()
  })
  it('that is away is unreachable', async () => {
    const { errors } = await failureOf(
      revokeTokens(options({ url: 'http://127.0.0.1:1/' }))(callWith()),
    )
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['ERR_PEER_UNREACHABLE', 'the authorization server gave no answer'],
    ])
  })
  it('leaves no secret in an error', async () => {
    const peer = await peerThat(status(401))
    const authenticate = () => ({ headers: { authorization: 'Bearer hidden\n1' } })
    const broken = await failureOf(revokeTokens(options(peer, { authenticate }))(callWith()))
    expect(broken.errors[0]?.message).toBe(
      'authorization: a header field for the authorization server has characters that no field can have',
    )
    const refused = await failureOf(
      revokeTokens(options(peer, { authenticate: clientSecretPost('app', 'hidden') }))(callWith()),
    )
    const away = await failureOf(
      revokeTokens(
        options({ url: 'http://127.0.0.1:1/' }, { authenticate: clientSecretPost('a', 'hidden') }),
      )(callWith()),
    )
    const shown = inspect([broken, refused, away], { depth: 20 })
    expect(shown).not.toMatch(/hidden|rt-1/)
  })
})

describe('the options of revokeTokens', () => {
  it('are judged together', () => {
    const wrong = {
      endpoint: 'http://as.example/revoke',
      tokensOf: [],
      onUnsupportedTokenType: 1,
      fetch: 1,
      clock: {},
      allowInsecureHttp: 'yes',
      timeout: 1,
    }
    expect(() => revokeTokens(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"timeout" is not an option',
          '"endpoint" must be an https URL without credentials and fragment (for a test, write "allowInsecureHttp: true")',
          '"authenticate" must be a function, such as clientSecretBasic(id, secret)',
          '"tokensOf" must be a function',
          '"onUnsupportedTokenType" must be a function',
          '"allowInsecureHttp" must be true or false',
          '"fetch" must be a function',
          '"clock" must have "now"',
        ],
      }),
    )
    expect(() => revokeTokens(undefined as never)).toThrow('"endpoint" must be')
  })
  it.each([
    'http://as.example/',
    'https://u@as.example/',
    'https://:p@as.example/',
    'https://as.example/#',
    'ftp://as.example/',
    'as.example',
    undefined,
  ])('refuse the endpoint %s', (endpoint) => {
    const url = endpoint as string
    expect(() => revokeTokens(options({ url }, { allowInsecureHttp: false }))).toThrow('"endpoint"')
  })
  it('take an endpoint with a query', () => {
    const url = 'https://as.example/revoke?tenant=1'
    expect(() => revokeTokens(options({ url }, { allowInsecureHttp: false }))).not.toThrow()
  })
  it.each([clientSecretBasic, clientSecretPost])('name what a client lacks: %p', (method) => {
    expect(() => method('', undefined as never)).toThrow(
      `${method.name}: "client_id" must be a non-empty string; "client_secret" must be a non-empty string`,
    )
  })
  it('keep the secret out of what is printed', () => {
    const settings = options({ url: 'x' }, { authenticate: clientSecretBasic('app', 'hidden') })
    expect(inspect(settings, { depth: 9, showHidden: true })).not.toContain('hidden')
  })
})
