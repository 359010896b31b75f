import { expect, it } from '@jest/globals'
import type { Json } from './peer.ts'
import { audience, type Site } from './site.ts'
import {
  createPolled,
  credentialChange,
  pollMethod,
  pushMethod,
  sessionRevoked,
} from './streams.ts'

const requested = [sessionRevoked, 'https://unknown.example/event', credentialChange]

/** Creating, reading, changing and deleting streams, and their subjects. */
export function walkStreams(site: () => Site): void {
  const ask: Site['peer']['ask'] = (...call) => site().peer.ask(...call)
  const read = async (query: string): Promise<Json> =>
    (await ask('GET', 'configuration_endpoint', { query })).json

  it('SSF-8.1.1.1-2, SSF-8.1.1.1-8, SSF-8.1.1.1-9, SSF-8.1.1-2, SSF-8.1.1-6, SSF-8.1.1-11, SSF-8.1.1-12, SSF-6.1.2-2, CIOP26-2.3.4-1: a create is 201 with the whole configuration', async () => {
    const body = { events_requested: requested, description: 'mine' }
    const answer = await ask('POST', 'configuration_endpoint', { body })
    const { stream_id, delivery, events_supported } = answer.json
    expect(answer.status).toBe(201)
    expect(answer.json).toMatchObject({ iss: site().issuer, aud: audience, description: 'mine' })
    expect(new Set(answer.json['events_requested'] as string[])).toEqual(new Set(requested))
    expect(answer.json['events_delivered']).toEqual([sessionRevoked, credentialChange])
    expect(events_supported).toEqual(expect.arrayContaining([sessionRevoked]))
    expect(stream_id).toMatch(/^[A-Za-z0-9._~-]+$/)
    expect(delivery).toEqual({
      method: pollMethod,
      endpoint_url: expect.stringMatching(/^https:\/\//),
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(await read(`?stream_id=${String(stream_id)}`)).toEqual(answer.json)
  })

  it('SSF-8.1.1-1, SSF-8.1.1.1-4, CIOP-2.3.8.2-2: another create is another stream, with a poll URL of its own', async () => {
    const [one, two] = [await createPolled(site().peer), await createPolled(site().peer)]
    expect(one.stream_id).not.toBe(two.stream_id)
    expect(one.configuration['delivery']).not.toEqual(two.configuration['delivery'])
  })

  it('GAP-20, GAP-21: a create that asks for no events is 201 and delivers none', async () => {
    const answer = await ask('POST', 'configuration_endpoint', { body: {} })
    expect([answer.status, answer.json['events_delivered']]).toEqual([201, []])
  })

  it('SSF-6.1-1, SSF-6.1.1-1, SSF-6.1.2-1, CIOP-2.3.8.1-1, CIOP-2.3.8.1-2, GAP-25: both methods are taken, another is 400', async () => {
    const create = (delivery: object): ReturnType<typeof ask> =>
      ask('POST', 'configuration_endpoint', { body: { delivery } })
    expect((await create({ method: pollMethod })).status).toBe(201)
    const push = { method: pushMethod, endpoint_url: 'https://receiver.example/signals' }
    const pushed = await create(push)
    expect([pushed.status, pushed.json['delivery']]).toEqual([201, push])
    const unknown = await create({
      method: 'urn:example:pigeon',
      endpoint_url: 'https://a.example',
    })
    expect([unknown.status, typeof unknown.json['description']]).toEqual([400, 'string'])
  })

  it('SSF-8.1.1.1-11, SSF-8.1.1.3-13, GAP-17: a body that cannot be parsed is 400 everywhere, before the stream is looked for', async () => {
    for (const body of ['{', '', 'a=b', '[', '{"stream_id":"unknown"']) {
      const calls = [
        ['POST', 'configuration_endpoint'],
        ['PATCH', 'configuration_endpoint'],
        ['PUT', 'configuration_endpoint'],
        ['POST', 'status_endpoint'],
        ['POST', 'add_subject_endpoint'],
        ['POST', 'remove_subject_endpoint'],
        ['POST', 'verification_endpoint'],
      ] as const
      for (const [method, endpoint] of calls) {
        const answer = await ask(method, endpoint, { body })
        expect([answer.status, Object.keys(answer.json)]).toEqual([400, ['err', 'description']])
      }
    }
  })

  it('SSF-8.1.1.2-2, SSF-8.1.1.2-3, SSF-8.1.1.2-4, SSF-8.1-2, CIOP-2.3.8.2-3: one is an object, all are an array, none is []', async () => {
    const { stream_id, query } = await createPolled(site().peer)
    expect(await read(query)).toMatchObject({ stream_id })
    const all = await read('')
    expect(Array.isArray(all)).toBe(true)
    expect(all).toContainEqual(expect.objectContaining({ stream_id }))
    const none = await ask('GET', 'configuration_endpoint', { token: 'other-token' })
    expect([none.status, none.text]).toEqual([200, '[]'])
  })

  it('SSF-8.1.1.3-3, SSF-8.1.1.3-4, SSF-8.1.1.3-7, SSF-8.1.1.3-9: PATCH changes what it names, and answers the whole', async () => {
    const { stream_id, query, configuration } = await createPolled(site().peer, {
      description: 'kept',
    })
    const body = { stream_id, events_requested: [sessionRevoked] }
    const answer = await ask('PATCH', 'configuration_endpoint', { body })
    const after = {
      ...configuration,
      events_requested: [sessionRevoked],
      events_delivered: [sessionRevoked],
    }
    expect([answer.status, answer.json]).toEqual([200, after])
    const poll = { stream_id, delivery: { method: pollMethod } }
    const same = await ask('PATCH', 'configuration_endpoint', { body: poll })
    expect([same.status, same.json]).toEqual([200, after])
    expect(await read(query)).toEqual(after)
  })

  it('SSF-8.1.1.4-3, SSF-8.1.1.4-8, SSF-8.1.1.4-11, SSF-8.1.1-14: PUT deletes what it does not name, and needs a delivery', async () => {
    const { stream_id, query, configuration } = await createPolled(site().peer, {
      description: 'gone',
    })
    const { description: _, ...rest } = configuration
    const { events_requested } = rest
    const body = { stream_id, events_requested, delivery: { method: pollMethod } }
    const answer = await ask('PUT', 'configuration_endpoint', { body })
    expect([answer.status, answer.json]).toEqual([200, rest])
    expect(await read(query)).toEqual(rest)
    const without = { stream_id, events_requested }
    expect((await ask('PUT', 'configuration_endpoint', { body: without })).status).toBe(400)
  })

  it('SSF-8.1.1.5-2, SSF-8.1.1.5-3: DELETE is 204 without a body, also of a paused or disabled stream; then all is 404', async () => {
    for (const status of ['enabled', 'paused', 'disabled']) {
      const stream = await createPolled(site().peer)
      const { query, stream_id } = stream
      if (status !== 'enabled') await stream.status(status)
      const answer = await ask('DELETE', 'configuration_endpoint', { query })
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect((await ask('DELETE', 'configuration_endpoint', { query })).status).toBe(404)
      expect((await ask('GET', 'configuration_endpoint', { query })).status).toBe(404)
      expect((await ask('GET', 'status_endpoint', { query })).status).toBe(404)
      expect((await stream.poll()).status).toBe(404)
      const body = { stream_id }
      expect((await ask('PATCH', 'configuration_endpoint', { body })).status).toBe(404)
      expect((await stream.verify()).status).toBe(404)
    }
  })

  it('SSF-8.1.1.3-13, SSF-8.1.4.2-9: a call that names no stream is 400', async () => {
    expect((await ask('DELETE', 'configuration_endpoint')).status).toBe(400)
    expect((await ask('GET', 'status_endpoint')).status).toBe(400)
    const calls = [
      ['PATCH', 'configuration_endpoint', {}],
      ['PUT', 'configuration_endpoint', { delivery: { method: pollMethod } }],
      ['POST', 'status_endpoint', { status: 'enabled' }],
      ['POST', 'verification_endpoint', {}],
    ] as const
    for (const [method, endpoint, body] of calls) {
      expect((await ask(method, endpoint, { body })).status).toBe(400)
    }
  })

  it('SSF-8.1.2.1-2, SSF-8.1.2.1-3, SSF-8.1.2.1-4, SSF-8.1.2.2-2, SSF-8.1.2.2-4, CIOP26-2.3.5-1, CIOP-2.3.5-1, CIOP-2.3.5-2: the status is read and set with 200', async () => {
    const { stream_id, query, status } = await createPolled(site().peer)
    for (const value of ['paused', 'disabled', 'enabled']) {
      const body = { stream_id, status: value, reason: 'a test' }
      const set = await ask('POST', 'status_endpoint', { body, query })
      expect([set.status, set.json]).toEqual([200, body])
      const got = await ask('GET', 'status_endpoint', { query })
      expect([got.status, got.json]).toEqual([200, body])
    }
    expect((await status('asleep')).status).toBe(400)
  })

  it('SSF-8.1.3.2-4, SSF-8.1.3.2-7, SSF-8.1.3.3-2, SSF-8.1.3.3-4, GAP-1: a subject is added with 200 and removed with 204, known or not', async () => {
    const { stream_id } = await createPolled(site().peer)
    for (const email of ['alice@receiver.example', 'nobody@nowhere.example']) {
      const body = { stream_id, subject: { format: 'email', email } }
      const added = await ask('POST', 'add_subject_endpoint', { body })
      expect([added.status, added.text]).toEqual([200, ''])
      const removed = await ask('POST', 'remove_subject_endpoint', { body })
      expect([removed.status, removed.text]).toEqual([204, ''])
    }
  })

  it('SSF-8.1.3.2-6, SSF-8.1.3.3-3: without a subject, or with one that is none, 400; for an unknown stream, 404', async () => {
    const { stream_id } = await createPolled(site().peer)
    const subject = { format: 'email', email: 'alice@receiver.example' }
    for (const endpoint of ['add_subject_endpoint', 'remove_subject_endpoint']) {
      for (const body of [{ stream_id }, { stream_id, subject: 'alice' }, { subject }]) {
        expect((await ask('POST', endpoint, { body })).status).toBe(400)
      }
      const unknown = { stream_id: 'unknown', subject }
      expect((await ask('POST', endpoint, { body: unknown })).status).toBe(404)
    }
  })

  it('SSF-8.1.1-4, SSF-8.1.1.3-6: what the Transmitter supplies is sent back as it is, or refused', async () => {
    const { stream_id, query, configuration } = await createPolled(site().peer)
    const { iss, aud, events_delivered } = configuration
    const same = { stream_id, iss, aud, events_delivered }
    expect((await ask('PATCH', 'configuration_endpoint', { body: same })).status).toBe(200)
    const delivery = { method: pollMethod }
    for (const other of [{ aud: 'https://other.example' }, { iss: 'https://other.example' }]) {
      const body = { ...same, ...other, delivery }
      for (const method of ['PATCH', 'PUT']) {
        expect((await ask(method, 'configuration_endpoint', { body })).status).toBe(400)
      }
      const { stream_id: _, ...created } = { ...other, stream_id, delivery }
      const answer = await ask('POST', 'configuration_endpoint', { body: created })
      expect(answer.status).toBe(400)
    }
    expect(await read(query)).toEqual(configuration)
  })

  it('SSF-6.1.2-2: of a poll stream, the Transmitter alone says where', async () => {
    const delivery = { method: pollMethod, endpoint_url: 'https://receiver.example/mine' }
    const { configuration } = await createPolled(site().peer, { delivery })
    const { endpoint_url } = configuration['delivery'] as { readonly endpoint_url: string }
    expect(endpoint_url.startsWith(site().issuer)).toBe(true)
  })

  it('CIOP-2.1-2, SET-5.1-1, SET-5.1-4, SUBID-7-1, PUSH-5.3-1, POLL-4.3-1: nothing is sent in the clear', async () => {
    const delivery = { method: pushMethod, endpoint_url: 'http://receiver.example/signals' }
    const created = await ask('POST', 'configuration_endpoint', { body: { delivery } })
    expect(created.status).toBe(400)
    const { stream_id, configuration } = await createPolled(site().peer)
    const { endpoint_url } = configuration['delivery'] as { readonly endpoint_url: string }
    expect(endpoint_url).toMatch(/^https:/)
    const body = { stream_id, delivery }
    for (const method of ['PATCH', 'PUT']) {
      expect((await ask(method, 'configuration_endpoint', { body })).status).toBe(400)
    }
  })

  it('GAP-9, GAP-12: "authorization_header" is the value of the field, and its Receiver reads it', async () => {
    const create = (authorization_header: string): ReturnType<typeof ask> => {
      const endpoint_url = 'https://receiver.example/signals'
      const delivery = { method: pushMethod, endpoint_url, authorization_header }
      return ask('POST', 'configuration_endpoint', { body: { delivery } })
    }
    for (const smuggled of ['Bearer a\r\nX-Other: b', 'Bearer a\nb', 'Bearer \u0000']) {
      expect((await create(smuggled)).status).toBe(400)
    }
    const created = await create('Bearer abc')
    const stream_id = String(created.json['stream_id'])
    const query = `?stream_id=${stream_id}`
    const whole = await read(query)
    expect(whole['delivery']).toMatchObject({ authorization_header: 'Bearer abc' })
    // Whoever reads, changes and replaces keeps it.
    const { delivery } = whole
    const body = { stream_id, delivery, description: 'new' }
    expect((await ask('PUT', 'configuration_endpoint', { body })).status).toBe(200)
    expect((await read(query))['delivery']).toEqual(delivery)
    await ask('DELETE', 'configuration_endpoint', { query })
  })
}
