import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { email } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { jwtAccessTokens } from '@drawbridge/transmitter'
import type { Mount } from '../../support/mounts.ts'
import {
  client,
  fetchTrusting,
  openAuthorizationServer,
  type AuthorizationServer,
} from './authorization-server.ts'
import { everyCall } from './every-call.ts'
import { connect, type Answer, type Json, type Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'
import { createPolled } from './streams.ts'

/** Access tokens of an authorization server, by the client credentials grant. */
export function walkOauth(mount: Mount): void {
  let site: Site
  let server: AuthorizationServer
  let peer: Peer

  beforeAll(async () => {
    site = await openSite(mount, async ({ issuer, authority }) => {
      const audience = `${issuer}/ssf`
      server = await openAuthorizationServer(authority.issue('localhost'), audience)
      const fetch = fetchTrusting(authority.ca)
      const { issuer: as } = server
      return {
        authenticate: jwtAccessTokens({ issuer: as, audience, maxLifetimeSeconds: 3600, fetch }),
      }
    })
    const { access_token } = await grant('ssf.read ssf.manage')
    peer = await connect(site.issuer, site.authority.ca, String(access_token))
  })
  afterAll(async () => {
    peer.close()
    await site.close()
    await server.close()
  })

  /** What the token endpoint answers to the client. */
  const grant = async (scope: string): Promise<Json> => {
    const credentials = [client.id, client.secret].map(encodeURIComponent).join(':')
    const { json: metadata } = await site.peer.ask(
      'GET',
      `${server.issuer}/.well-known/oauth-authorization-server`,
      { token: null },
    )
    const answer = await site.peer.ask('POST', String(metadata['token_endpoint']), {
      token: null,
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      },
    })
    expect(answer.status).toBe(200)
    return answer.json
  }

  const refusal = (answer: Answer): unknown => [answer.status, answer.headers['www-authenticate']]
  const now = (): number => Math.floor(Date.now() / 1000)
  const scope = 'ssf.read ssf.manage'

  it('CIOP-2.7.1-3, CIOP26-2.7.1-1: the token of the grant is short-lived, and opens every call', async () => {
    const granted = await grant(scope)
    expect(granted).toMatchObject({ token_type: 'Bearer', scope, expires_in: 3600 })
    for (const { method, endpoint, ...ask } of await everyCall({ peer })) {
      const { status } = await peer.ask(method, endpoint, ask)
      expect([method, endpoint, [200, 201, 204].includes(status ?? 0)]).toEqual([
        method,
        endpoint,
        true,
      ])
    }
  })

  it('CIOP-2.7.3-3, POLL-4.4.1-1: one that is expired, altered or somebody else’s is 401 everywhere, before body and stream are looked at', async () => {
    const good = server.sign({ scope })
    const [header = '', , signature = ''] = good.split('.')
    const longer = server.sign({ scope: `${scope} ssf.other` }).split('.')[1] ?? ''
    const bad: Readonly<Record<string, string>> = {
      expired: server.sign({ scope, iat: now() - 3600, nbf: now() - 3600, exp: now() - 60 }),
      'not valid yet': server.sign({ scope, nbf: now() + 60 }),
      'too long-lived': server.sign({ scope, exp: now() + 3700 }),
      'for another resource': server.sign({ scope, aud: 'https://other.example' }),
      'of another issuer': server.sign({ scope, iss: 'https://other.example' }),
      'a SET': server.sign({ scope }, { typ: 'secevent+jwt' }),
      'of an unknown key': server.sign({ scope }, { kid: 'two' }),
      altered: [header, longer, signature].join('.'),
      unsigned: [
        Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url'),
        longer,
        '',
      ].join('.'),
      malformed: 'a:b',
      'three dots': 'x.y.z',
      empty: '',
    }
    for (const [what, token] of Object.entries(bad)) {
      for (const { method, endpoint, body } of await everyCall({ peer })) {
        const broken = body === undefined ? { query: '?stream_id=unknown' } : { body: '{' }
        const answer = await peer.ask(method, endpoint, { ...broken, token })
        expect([what, endpoint, refusal(answer)]).toEqual([
          what,
          endpoint,
          [401, expect.stringMatching(/^Bearer error="invalid_token", resource_metadata="https:/)],
        ])
      }
    }
  })

  it('CIOP-2.7.2-4, CIOP-2.7.3-4: one with "ssf.read" alone changes nothing, judged before the body', async () => {
    const { access_token } = await grant('ssf.read')
    const token = String(access_token)
    for (const { method, endpoint, changes, ...ask } of await everyCall({ peer })) {
      if (!changes) expect((await peer.ask(method, endpoint, { ...ask, token })).status).toBe(200)
      else {
        const broken = ask.body === undefined ? ask : { body: '{' }
        expect(refusal(await peer.ask(method, endpoint, { ...broken, token }))).toEqual([
          403,
          expect.stringMatching(/error="insufficient_scope", scope="ssf[.]manage"/),
        ])
      }
    }
  })

  it('OAUTH-9728.3-1, OAUTH-9728.5.1-1, CIOP-2.7.3-6: a refusal says where tokens can be had', async () => {
    const answer = await peer.ask('GET', 'configuration_endpoint', { token: null })
    const [, url = ''] = /resource_metadata="([^"]+)"/.exec(String(refusal(answer))) ?? []
    const { json } = await peer.ask('GET', url, { token: null })
    expect(json).toMatchObject({
      resource: `${site.issuer}/ssf`,
      authorization_servers: [server.issuer],
    })
  })

  it('SET-4.2-1: the "aud" of a SET is its Receiver, that of an access token the Transmitter', async () => {
    const stream = await createPolled(peer)
    const reason = { reason_admin: { en: 'closed' } }
    await site.transmitter.transmit(SessionRevoked, email('alice@receiver.example'), reason)
    const [set] = await stream.drain()
    expect(set?.claims['aud']).toBe(client.id)
    const asToken = await peer.ask('GET', 'configuration_endpoint', {
      token: server.sign({ scope, aud: client.id }),
    })
    expect(asToken.status).toBe(401)
  })
}
