import { afterEach, describe, expect, it } from '@jest/globals'
import { staticTokens, type Authenticate, type Transmitter } from '../src/index.ts'
import { call, makeTransmitter } from './support.ts'

const servers = ['https://as.example', 'https://other.example']
const tokens = staticTokens([
  { token: 'token-one', id: 'one', audience: 'https://one.example' },
  { token: 'token-read', id: 'one', audience: 'https://one.example', scopes: ['ssf.read'] },
])
const withServers: Authenticate = Object.assign((request: Request) => tokens(request), {
  authorizationServers: servers,
})

let transmitter: Transmitter
afterEach(() => transmitter.stop())

async function start(issuer: string, authenticate = withServers): Promise<void> {
  transmitter = makeTransmitter({ issuer, authenticate })
  await transmitter.start()
}

const challenge = async (
  issuer: string,
  token: string | null,
  method = 'GET',
): Promise<[number, string | null]> => {
  const { status, headers } = await call(transmitter, `${method} ${issuer}/ssf/streams`, { token })
  return [status, headers.get('www-authenticate')]
}

describe('the metadata of the protected resource', () => {
  it.each([
    ['https://idp.example', 'https://idp.example/.well-known/oauth-protected-resource/ssf'],
    [
      'https://idp.example/tenant',
      'https://idp.example/.well-known/oauth-protected-resource/tenant/ssf',
    ],
    [
      'https://idp.example/tenant/',
      'https://idp.example/.well-known/oauth-protected-resource/tenant/ssf',
    ],
  ])(
    'of %s is between host and path (OAUTH-9728.3-1, OAUTH-9728.2-1, OAUTH-9728.2-2, OAUTH-9728.2-3, OAUTH-9728.2-4, CIOP-2.7.3-6)',
    async (issuer, url) => {
      await start(issuer)
      expect(transmitter.serves(new URL(url).pathname)).toBe(true)
      const answer = await call(transmitter, `GET ${url}`, { token: null })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
      expect(await answer.json()).toEqual({
        resource: `${issuer.replace(/\/$/, '')}/ssf`,
        authorization_servers: servers,
        scopes_supported: ['ssf.read', 'ssf.manage'],
        bearer_methods_supported: ['header'],
      })
    },
  )

  it('is named by every refusal (OAUTH-9728.5.1-1)', async () => {
    const issuer = 'https://idp.example/tenant'
    const url = 'https://idp.example/.well-known/oauth-protected-resource/tenant/ssf'
    await start(issuer)
    const named = `resource_metadata="${url}"`
    expect(await challenge(issuer, null)).toEqual([401, `Bearer ${named}`])
    expect(await challenge(issuer, 'a:b')).toEqual([401, `Bearer error="invalid_token", ${named}`])
    expect(await challenge(issuer, 'token-read', 'DELETE')).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="ssf.manage", ${named}`,
    ])
    expect(await challenge(issuer, 'token-one')).toEqual([200, null])
  })

  it.each([undefined, []])(
    'is not there with the servers %p: its path is the application’s',
    async (none) => {
      const issuer = 'https://idp.example'
      const authenticate: Authenticate = (request) => tokens(request)
      await start(
        issuer,
        none ? Object.assign(authenticate, { authorizationServers: none }) : authenticate,
      )
      const path = '/.well-known/oauth-protected-resource/ssf'
      expect(transmitter.serves(path)).toBe(false)
      expect((await call(transmitter, `GET ${issuer}${path}`)).status).toBe(404)
      expect(await challenge(issuer, null)).toEqual([401, 'Bearer'])
    },
  )
})
