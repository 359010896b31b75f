import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { mounts } from '../support/mounts.ts'
import { audience, openSite, type Site } from './certification/site.ts'
import { walkAnnouncements } from './certification/walk-announcements.ts'
import { walkAuthorization } from './certification/walk-authorization.ts'
import { walkMetadata } from './certification/walk-metadata.ts'
import { walkOauth } from './certification/walk-oauth.ts'
import { walkOrder } from './certification/walk-order.ts'
import { walkPoll } from './certification/walk-poll.ts'
import { walkPush } from './certification/walk-push.ts'
import { pollMethod, polledStream, sessionRevoked, verification } from './certification/streams.ts'
import { walkStreams } from './certification/walk-streams.ts'

let site: Site
const current = (): Site => site

describe.each(Object.entries(mounts))('over TLS, in %s', (_, mount) => {
  beforeAll(async () => void (site = await openSite(mount)))
  afterAll(() => site.close())

  describe('metadata', () => walkMetadata(current))
  describe('authorization', () => walkAuthorization(current))
  describe('streams', () => walkStreams(current))
  describe('poll', () => walkPoll(current))
  describe('push', () => walkPush(current))
  describe('announcements', () => walkAnnouncements(current))
  describe('the order of the checks', () => walkOrder(current))
  describe('access tokens', () => walkOauth(mount))
})

describe('over TLS, where a Receiver may have one stream', () => {
  beforeAll(async () => {
    const [mount] = Object.values(mounts)
    if (mount) site = await openSite(mount, () => ({ multipleStreams: false }))
  })
  afterAll(() => site.close())

  it('SSF-8.1.1.1-5, SSF-8.1.1.1-11, SSF-8.1.1.1-14: another create is 409, and the stream is what it was', async () => {
    const create = { body: { description: 'mine' } }
    const first = await site.peer.ask('POST', 'configuration_endpoint', create)
    const again = await site.peer.ask('POST', 'configuration_endpoint', create)
    expect([first.status, again.status]).toEqual([201, 409])
    expect(Object.keys(again.json)).toEqual(['err', 'description'])
    for (const body of ['{', { description: 7 }, { delivery: { method: 'urn:example:pigeon' } }]) {
      expect((await site.peer.ask('POST', 'configuration_endpoint', { body })).status).toBe(400)
    }
    expect((await site.peer.ask('GET', 'configuration_endpoint')).json).toEqual([first.json])
  })
})

describe('over TLS, where verifications are limited', () => {
  beforeAll(async () => {
    const [mount] = Object.values(mounts)
    if (mount) site = await openSite(mount, () => ({ minVerificationIntervalSeconds: 60 }))
  })
  afterAll(() => site.close())

  it('SSF-8.1.1-15, SSF-8.1.1-16, SSF-8.1.4.2-9, GAP-26: the interval is in the configuration, and 429 says when', async () => {
    const { peer } = site
    const created = await peer.ask('POST', 'configuration_endpoint', { body: {} })
    expect(created.json).toMatchObject({ min_verification_interval: 60 })
    const verify = { body: { stream_id: created.json['stream_id'] } }
    expect((await peer.ask('POST', 'verification_endpoint', verify)).status).toBe(204)
    const refused = await peer.ask('POST', 'verification_endpoint', verify)
    expect([refused.status, refused.headers['retry-after']]).toEqual([
      429,
      expect.stringMatching(/^(60|5\d)$/),
    ])
    const answers = [{ ...verify.body, state: 7 }, { stream_id: 'unknown' }].map((body) =>
      peer.ask('POST', 'verification_endpoint', { body }),
    )
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([400, 404])
  })
})

describe('over TLS, where the Transmitter verifies a new stream by itself', () => {
  beforeAll(async () => {
    const [mount] = Object.values(mounts)
    if (mount) site = await openSite(mount, () => ({ verification: { onCreate: true } }))
  })
  afterAll(() => site.close())

  it('SSF-8.1.4-1, SSF-8.1.4.2-5: that verification has no "state"', async () => {
    const created = await site.peer.ask('POST', 'configuration_endpoint', { body: {} })
    const sets = await polledStream(site.peer, created.json).drain()
    expect(sets.map(({ claims }) => claims.events)).toEqual([{ [verification]: {} }])
  })
})

describe('over TLS, where a stream is set up by the Transmitter', () => {
  const stream_id = 'fixed'

  beforeAll(async () => {
    const [mount] = Object.values(mounts)
    const fixed = { stream_id, receiver: 'receiver', audience, events: [SessionRevoked] }
    const staticStreams = [{ ...fixed, delivery: { method: pollMethod } as const }]
    if (mount) site = await openSite(mount, () => ({ staticStreams }))
  })
  afterAll(() => site.close())

  it('SSF-8.1.1.3-15, SSF-8.1.1.5-3: its Receiver may not change it, 403; invalid is 400, another’s 404', async () => {
    const { peer } = site
    const subject = { format: 'email', email: 'alice@receiver.example' }
    const delivery = { method: pollMethod }
    const calls = [
      ['PATCH', 'configuration_endpoint', { description: 'x' }, { description: 7 }],
      ['PUT', 'configuration_endpoint', { delivery }, {}],
      ['POST', 'status_endpoint', { status: 'paused' }, { status: 'asleep' }],
      ['POST', 'add_subject_endpoint', { subject }, {}],
      ['POST', 'remove_subject_endpoint', { subject }, {}],
    ] as const
    for (const [method, endpoint, right, wrong] of calls) {
      const status = async (more: object, token: object = {}): Promise<unknown> =>
        (await peer.ask(method, endpoint, { body: { stream_id, ...more }, ...token })).status
      expect([
        await status(right),
        await status(wrong),
        await status(right, { token: 'other-token' }),
      ]).toEqual([403, 400, 404])
    }
    const query = `?stream_id=${stream_id}`
    expect((await peer.ask('DELETE', 'configuration_endpoint', { query })).status).toBe(403)
    const { json } = await peer.ask('GET', 'configuration_endpoint', { query })
    expect(json).toMatchObject({ stream_id, events_delivered: [sessionRevoked] })
  })
})
