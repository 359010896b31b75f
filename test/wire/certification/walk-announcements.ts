import { expect, it } from '@jest/globals'
import { email } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { openPushServer } from '../../support/push-server.ts'
import type { Json, OpenedSet } from './peer.ts'
import { audience, type Site } from './site.ts'
import {
  createPolled,
  pushMethod,
  sessionRevoked,
  streamUpdated,
  verification,
  type Polled,
} from './streams.ts'

const because = (en: string): { reason_admin: { en: string } } => ({ reason_admin: { en } })

/** What a stream says when the Transmitter stops it and lets it go on; and what every SET has. */
export function walkAnnouncements(site: () => Site): void {
  const revoke = (text: string): Promise<unknown> =>
    site().transmitter.transmit(SessionRevoked, email('alice@receiver.example'), because(text))
  const payloads = (sets: readonly OpenedSet[]): Json[] => sets.map(({ claims }) => claims.events)

  it('SSF-8.1.5-2, SSF-8.1.5-3, SSF-8.1.5-4: to a poll, a stop is announced first, and so is its end, before what was held', async () => {
    const { transmitter, peer } = site()
    const { drain, stream_id, query } = await createPolled(peer)
    const stopped = { status: 'paused', reason: 'maintenance' } as const
    await transmitter.streams.updateStatus(stream_id, stopped)
    await revoke('held')
    const [set, ...more] = await drain()
    expect(more).toEqual([])
    expect(set?.claims).toMatchObject({
      sub_id: { format: 'opaque', id: stream_id },
      events: { [streamUpdated]: stopped },
    })
    const read = await peer.ask('GET', 'status_endpoint', { query })
    expect(read.json).toEqual({ stream_id, ...stopped })
    await revoke('held, too')
    await transmitter.streams.updateStatus(stream_id, { status: 'enabled' })
    expect(payloads(await drain())).toEqual([
      { [streamUpdated]: { status: 'enabled' } },
      { [sessionRevoked]: because('held') },
      { [sessionRevoked]: because('held, too') },
    ])
  })

  it('GAP-23: what the Receiver itself asks for is not announced', async () => {
    const stream = await createPolled(site().peer)
    for (const status of ['paused', 'enabled', 'disabled', 'enabled']) await stream.status(status)
    expect(await stream.drain()).toEqual([])
  })

  it('SSF-8.1.5-2, SSF-8.1.5-3: the same by push', async () => {
    const { transmitter, peer, authority } = site()
    const server = await openPushServer(authority.issue('localhost'))
    const delivery = { method: pushMethod, endpoint_url: `https://localhost:${server.port}/` }
    const body = { delivery, events_requested: [sessionRevoked] }
    const { json } = await peer.ask('POST', 'configuration_endpoint', { body })
    const id = String(json['stream_id'])
    const next = async (): Promise<Json> =>
      (await peer.open((await server.next()).body)).claims.events
    const stopped = { status: 'paused', reason: 'maintenance' } as const
    await transmitter.streams.updateStatus(id, stopped)
    expect(await next()).toEqual({ [streamUpdated]: stopped })
    await revoke('held')
    await transmitter.streams.updateStatus(id, { status: 'enabled' })
    expect([await next(), await next()]).toEqual([
      { [streamUpdated]: { status: 'enabled' } },
      { [sessionRevoked]: because('held') },
    ])
    await peer.ask('DELETE', 'configuration_endpoint', { query: `?stream_id=${id}` })
    await server.close()
  })

  it('SSF-4.1.6-1, SSF-8.1.1-3, SSF-4.1.8-3: whatever the event, a SET has "jti", "aud" and "txn", and an "iat" that is past', async () => {
    const { transmitter, peer, issuer } = site()
    const stream = await createPolled(peer)
    await revoke('one')
    await stream.verify('a state')
    await transmitter.streams.updateStatus(stream.stream_id, { status: 'paused' })
    await transmitter.streams.updateStatus(stream.stream_id, { status: 'enabled' })
    const { sets } = (await stream.poll()).json as unknown as Polled
    const opened = await Promise.all(Object.values(sets).map((set) => peer.open(set)))
    const types = new Set(opened.flatMap(({ claims }) => Object.keys(claims.events)))
    expect(types).toEqual(new Set([streamUpdated, sessionRevoked, verification]))
    expect(opened.map(({ claims }) => claims['jti'])).toEqual(Object.keys(sets))
    for (const { header, claims } of opened) {
      expect(header).toMatchObject({ alg: 'RS256', typ: 'secevent+jwt' })
      const { iss, aud, iat, txn } = claims
      expect([iss, iss, aud]).toEqual([stream.configuration['iss'], issuer, audience])
      expect(claims['jti']).not.toMatch(/^\d+$/)
      expect(txn).toMatch(/./)
      expect(Number(iat) * 1000).toBeLessThanOrEqual(Date.now())
      expect(claims).not.toHaveProperty('sub')
      expect(claims).not.toHaveProperty('exp')
    }
  })

  it('CIOP-2.5-3, CIOP-3.1-2, GAP-7: what the profile forbids is refused, and nothing is recorded', async () => {
    const { transmitter, peer } = site()
    const stream = await createPolled(peer)
    const transmit = (subject: object, payload: object): Promise<unknown> =>
      transmitter.transmit<object>(SessionRevoked, subject as never, payload)
    const address = email('alice@receiver.example')
    await expect(transmit(address, {})).rejects.toThrow('"reason_admin"')
    const text = { reason_admin: 'closed' }
    await expect(transmit(address, text)).rejects.toThrow('"reason_admin"')
    await expect(transmit(address, because(' '))).rejects.toThrow('"reason_admin"')
    await expect(transmit({ format: 'opaque', id: 'a' }, because('x'))).rejects.toThrow('"sub_id"')
    await expect(transmit(address, { ...because('x'), more: 1 })).rejects.toThrow('members')
    expect(await stream.drain()).toEqual([])
    await transmit(address, because('by address'))
    const named = { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' }
    await transmit(named, because('by name'))
    const subjects = (await stream.drain()).map(({ claims }) => claims['sub_id'])
    expect(subjects).toEqual([address, named])
  })
}
