import { describe, expect, it } from '@jest/globals'
import {
  aliases,
  complex,
  email,
  ipAddresses,
  jwtId,
  opaque,
  samlAssertionId,
  type Subject,
} from '@drawbridge/schema'
import {
  globalTokenRevocation,
  type GlobalTokenRevocationOptions,
} from '@drawbridge/enforcement/hooks'
import {
  callWith,
  deviceCall,
  endless,
  failureOf,
  peerThat,
  silence,
  status,
  type HttpPeer,
} from './ready-made-peer.ts'
import { alice, laptop } from './signals.ts'

const hookFor = (
  { url }: Pick<HttpPeer, 'url'>,
  more: Partial<GlobalTokenRevocationOptions> = {},
) =>
  globalTokenRevocation({
    endpoint: url,
    authorize: () => 'at-1',
    allowInsecureHttp: true,
    ...more,
  })

const bodies = ({ asked }: HttpPeer): unknown[] => asked.map(({ body }) => JSON.parse(body))

describe('globalTokenRevocation', () => {
  it('posts the user as JSON, with a Bearer token', async () => {
    const peer = await peerThat(status(204))
    await hookFor(peer)(callWith({ subject: email('alice@app.example') }))
    expect(peer.asked).toMatchObject([
      {
        method: 'POST',
        path: '/endpoint',
        headers: { authorization: 'Bearer at-1', 'content-type': 'application/json' },
        body: '{"sub_id":{"format":"email","email":"alice@app.example"}}',
      },
    ])
  })
  it('sends the user of a complex subject', async () => {
    const peer = await peerThat(status(204))
    await hookFor(peer)(callWith({ subject: complex({ user: alice, device: laptop }) }))
    expect(bodies(peer)).toEqual([{ sub_id: alice }])
  })
  it('sends all names of a user', async () => {
    const peer = await peerThat(status(204))
    const user = aliases(alice, email('alice@app.example'))
    await hookFor(peer)(callWith({ subject: user }))
    expect(bodies(peer)).toEqual([{ sub_id: user }])
  })
  it.each<[string, Subject]>([
    ['a device', deviceCall().subject],
    ['a token', jwtId('https://idp.example', 'j')],
    ['an assertion', samlAssertionId('https://idp.example', 'a')],
    ['addresses', ipAddresses('192.0.2.1')],
  ])('asks for nothing where the signal names %s and no user', async (_, subject) => {
    const peer = await peerThat(status(500))
    await hookFor(peer)(callWith({ subject }))
    expect(peer.asked).toEqual([])
  })
  it('asks for nothing where the effect is for machines alone', async () => {
    const peer = await peerThat(status(500))
    await hookFor(peer)(callWith({ kinds: ['service', 'agent', 'apiKey'] }))
    expect(peer.asked).toEqual([])
  })
  it('names the user as the application says', async () => {
    const peer = await peerThat(status(204))
    const users = [opaque('u-1'), undefined]
    const calls: unknown[] = []
    const call = deviceCall()
    const hook = hookFor(peer, {
      userOf: async (given) => {
        calls.push(given)
        return users.shift()
      },
    })
    await hook(call)
    await hook(call)
    expect(calls).toEqual([call, call])
    expect(bodies(peer)).toEqual([{ sub_id: { format: 'opaque', id: 'u-1' } }])
  })
  it('takes header fields for another scheme, which do not change the type', async () => {
    const peer = await peerThat(status(204))
    const fields = { authorization: 'DPoP at-1', dpop: 'proof', 'content-type': 'text/plain' }
    await hookFor(peer, { authorize: async () => fields })(callWith())
    expect(peer.asked[0]?.headers).toMatchObject({
      authorization: 'DPoP at-1',
      dpop: 'proof',
      'content-type': 'application/json',
    })
  })
  it('says so to "authorize" when the last token was not accepted', async () => {
    const codes = [401, 503, 204]
    const peer = await peerThat((...given) => status(codes[peer.asked.length - 1] ?? 0)(...given))
    const rejections: boolean[] = []
    const hook = hookFor(peer, {
      authorize: ({ rejected }) => {
        rejections.push(rejected)
        return 'at'
      },
    })
    await expect(hook(callWith())).rejects.toThrow('the authorization is not accepted')
    await expect(hook(callWith())).rejects.toThrow('503')
    await hook(callWith())
    expect(rejections).toEqual([false, true, false])
  })
  it('counts a user whom the server does not know as done', async () => {
    const peer = await peerThat(status(404, { error: 'user_not_found' }))
    await hookFor(peer)(callWith())
    expect(peer.asked).toHaveLength(1)
  })
  it.each([
    [200, 'ERR_PEER_ANSWER', '200'],
    [302, 'ERR_PEER_ANSWER', '302: redirects are not followed'],
    [400, 'ERR_PEER_ANSWER', '400: it does not take this format of subject'],
    [403, 'ERR_PEER_ANSWER', '403: the authorization is not enough'],
    [422, 'ERR_PEER_ANSWER', '422: it cannot log this user out'],
    [429, 'ERR_PEER_UNREACHABLE', '429'],
    [503, 'ERR_PEER_UNREACHABLE', '503'],
  ])('fails on %i, to be tried again', async (code, expected, text) => {
    const headers = { 'retry-after': '3', location: 'https://elsewhere.example/' }
    const peer = await peerThat(status(code, { error: 'boo' }, headers))
    const error = await failureOf(hookFor(peer)(callWith()))
    expect([error.code, error.message]).toEqual([
      expected,
      `the authorization server answered ${text}`,
    ])
    expect(error.retryAfterMs).toBe(expected === 'ERR_PEER_UNREACHABLE' ? 3000 : undefined)
  })
  it('leaves a server that does not answer when the time is over', async () => {
    const peer = await peerThat(silence)
    const time = new AbortController()
    const failed = failureOf(hookFor(peer)(callWith({ signal: time.signal })))
    while (peer.asked.length === 0) await new Promise(setImmediate)
    time.abort()
    expect((await failed).code).toBe('ERR_PEER_UNREACHABLE')
    await peer.idle()
  })
  it.each([404, 500])('does not listen to %i without end', async (code) => {
    const peer = await peerThat(endless(code))
    await Promise.allSettled([hookFor(peer)(callWith())])
    await peer.idle()
  })
  it('shows no token that cannot be a header field', async () => {
    const peer = await peerThat(status(204))
    const error = await failureOf(hookFor(peer, { authorize: () => 'hidden\n1' })(callWith()))
    expect(error.code).toBe('ERR_INVALID_ARG_VALUE')
    expect(error.stack).not.toContain('hidden')
  })
  it('judges its options together', () => {
    const wrong = { endpoint: 'https://as.example/#x', userOf: 1, retries: 3, fetch: null }
    expect(() => globalTokenRevocation(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"retries" is not an option',
          expect.stringContaining('"endpoint" must be an https URL'),
          '"authorize" must be a function that gives a token for "Authorization: Bearer"',
          '"userOf" must be a function that gives a subject identifier',
          '"fetch" must be a function',
        ],
      }),
    )
    expect(() => globalTokenRevocation(undefined as never)).toThrow('"endpoint" must be')
  })
})
