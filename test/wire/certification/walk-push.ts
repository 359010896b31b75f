import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { email } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createAuthority } from '../../support/tls.ts'
import { openPushServer, type PushServer } from '../../support/push-server.ts'
import { audience, type Site } from './site.ts'
import { pushMethod, sessionRevoked, verification } from './streams.ts'

const because = { reason_admin: { en: 'closed' } }

/** Push delivery over TLS. */
export function walkPush(site: () => Site): void {
  let server: PushServer
  beforeEach(async () => void (server = await openPushServer(site().authority.issue('localhost'))))
  afterEach(() => server.close())

  const create = async (url: string, delivery: object = {}): Promise<string> => {
    const answer = await site().peer.ask('POST', 'configuration_endpoint', {
      body: {
        events_requested: [sessionRevoked],
        delivery: { method: pushMethod, endpoint_url: url, ...delivery },
      },
    })
    expect(answer.status).toBe(201)
    return String(answer.json['stream_id'])
  }
  const remove = (stream_id: string): Promise<unknown> =>
    site().peer.ask('DELETE', 'configuration_endpoint', { query: `?stream_id=${stream_id}` })
  const verify = (stream_id: string, state: string): Promise<{ readonly status?: number }> =>
    site().peer.ask('POST', 'verification_endpoint', {
      body: { stream_id, state },
    }) as Promise<{ readonly status?: number }>

  it('PUSH-2.1-1, PUSH-2.1-2, PUSH-2.1-3, PUSH-2.1-4, CIOP-2.3.8.1-1: a push is a POST of one SET, as it is', async () => {
    const { peer, issuer, transmitter } = site()
    const id = await create(`https://localhost:${server.port}/signals?tenant=1`)
    await transmitter.transmit(SessionRevoked, email('alice@receiver.example'), because)
    const { method, url, headers, body } = await server.next()
    expect([method, url]).toEqual(['POST', '/signals?tenant=1'])
    expect(headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
    })
    expect(headers).not.toHaveProperty('authorization')
    const { header, claims } = await peer.open(body)
    expect(header).toMatchObject({ alg: 'RS256', typ: 'secevent+jwt' })
    expect(claims).toMatchObject({
      iss: issuer,
      aud: audience,
      events: { [sessionRevoked]: because },
    })
    expect([typeof claims['jti'], typeof claims['txn']]).toEqual(['string', 'string'])
    await remove(id)
  })

  it('SSF-8.1.4.2-3: a verification is pushed at once, with the state and the agreed Authorization field', async () => {
    const { peer } = site()
    const authorization_header = 'Bearer of the receiver'
    const id = await create(`https://localhost:${server.port}/signals`, { authorization_header })
    expect((await verify(id, 'a state')).status).toBe(204)
    const { headers, body } = await server.next()
    expect(headers.authorization).toBe(authorization_header)
    const { claims } = await peer.open(body)
    expect(claims['sub_id']).toEqual({ format: 'opaque', id })
    expect(claims.events).toEqual({ [verification]: { state: 'a state' } })
    await remove(id)
  })

  it('SSF-8.1.2.1-6, SSF-8.1.2.1-10: paused holds, disabled drops, and what was held comes first', async () => {
    const { peer } = site()
    const id = await create(`https://localhost:${server.port}/signals`)
    const status = (value: string): Promise<unknown> =>
      peer.ask('POST', 'status_endpoint', { body: { stream_id: id, status: value } })
    await status('disabled')
    await verify(id, 'dropped')
    await status('paused')
    await verify(id, 'held')
    await status('enabled')
    await verify(id, 'last')
    const states: unknown[] = []
    while (!states.includes('last')) {
      const { claims } = await peer.open((await server.next()).body)
      if (claims.events[verification]) states.push(claims.events[verification]['state'])
    }
    expect(states).toEqual(['held', 'last'])
    await remove(id)
  })

  it.each([
    ['an authority that nobody trusts', () => createAuthority('a stranger').issue('localhost')],
    ['another name', () => site().authority.issue('other.example')],
  ])('SET-5.1-3, PUSH-3-1, PUSH-5.3-3: a certificate of %s gets nothing', async (_, issue) => {
    const { transmitter } = site()
    const wrong = await openPushServer(issue())
    const id = await create(`https://localhost:${wrong.port}/signals`)
    const failed = new Promise<{ readonly reason: string }>((resolve) => {
      transmitter.events.on('delivery:failed', (event) => {
        if (event.stream_id === id) resolve(event)
      })
    })
    await verify(id, 'a state')
    expect((await failed).reason).toMatch(/VERIFY|CERT/)
    expect(wrong.waiting).toBe(0)
    await remove(id)
    await wrong.close()
  })
}
