import { expect, it } from '@jest/globals'
import { email } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { audience, type Site } from './site.ts'
import { createPolled, eventsOf, sessionRevoked, type Polled } from './streams.ts'

const because = (text: string): { reason_admin: { en: string } } => ({
  reason_admin: { en: text },
})

/** Poll delivery, and what a stream's status does to it. */
export function walkPoll(site: () => Site): void {
  const revoke = (text: string, sub = 'alice'): Promise<unknown> =>
    site().transmitter.transmit(SessionRevoked, email(`${sub}@receiver.example`), because(text))

  it('SSF-8.1.4.2-2, SSF-8.1.4.2-3, SSF-8.1.4.2-6, CIOP-2.3.6-1, CIOP26-2.3.6-1: a verification is 204 without a body, and the next poll has it', async () => {
    const stream = await createPolled(site().peer)
    const answer = await stream.verify('a state')
    expect([answer.status, answer.text]).toEqual([204, ''])
    const [set, ...more] = await stream.drain()
    expect([eventsOf(set ? [set] : []), more]).toEqual([[{ state: 'a state' }], []])
    expect(set?.claims['sub_id']).toEqual({ format: 'opaque', id: stream.stream_id })
    await stream.verify()
    expect(eventsOf(await stream.drain())).toEqual([{}])
  })

  it('CIOP-3.1-2, SSF-4.1.9-1, SET-2.4-2, SET-7.3-1: a SET is signed and has all that is due', async () => {
    const { peer, issuer } = site()
    const stream = await createPolled(peer)
    await revoke('closed')
    const { sets } = (await stream.poll()).json as unknown as Polled
    const [[jti, set] = ['', '']] = Object.entries(sets)
    const { header, claims } = await peer.open(set)
    expect(header).toMatchObject({ alg: 'RS256', typ: 'secevent+jwt', kid: expect.any(String) })
    expect(claims).toEqual({
      iss: issuer,
      aud: audience,
      jti,
      iat: expect.any(Number),
      txn: expect.any(String),
      sub_id: { format: 'email', email: 'alice@receiver.example' },
      events: { [sessionRevoked]: because('closed') },
    })
    const iat = Number(claims['iat'])
    expect([Number.isInteger(iat), iat * 1000 <= Date.now()]).toEqual([true, true])
  })

  it('POLL-2.2-3, POLL-2.3-1, POLL-2.3-6, POLL-2.5-3: an answer has "sets", never more than asked for, and nothing unexpected', async () => {
    const stream = await createPolled(site().peer)
    for (const text of ['one', 'two', 'three']) await revoke(text, text)
    const some = await stream.poll({ maxEvents: 2 })
    const { sets, ...rest } = some.json as unknown as Polled
    expect([some.status, some.headers['content-type']]).toEqual([200, 'application/json'])
    expect([Object.keys(sets).length, rest]).toEqual([2, { moreAvailable: true }])
    const ack = Object.keys(sets)
    const last = (await stream.poll({ ack })).json as unknown as Polled
    expect([Object.keys(last), Object.keys(last.sets).length]).toEqual([['sets'], 1])
    const none = await stream.poll({ ack: Object.keys(last.sets) })
    expect([none.status, none.text]).toEqual([200, '{"sets":{}}'])
  })

  it('POLL-2.2-10: "ack" and "setErrs" count before the selection; a poll that only acknowledges is 200 too', async () => {
    const stream = await createPolled(site().peer)
    await revoke('one', 'one')
    await revoke('two', 'two')
    const first = (await stream.poll({ maxEvents: 1 })).json as unknown as Polled
    const ack = Object.keys(first.sets)
    const second = (await stream.poll({ maxEvents: 1, ack })).json as unknown as Polled
    const [jti = ''] = Object.keys(second.sets)
    expect(ack).not.toContain(jti)
    const refused = { setErrs: { [jti]: { err: 'invalid_request', description: 'non' } } }
    const asked = { body: { ...refused, maxEvents: 0, returnImmediately: true } }
    const { endpoint_url } = stream.configuration['delivery'] as { endpoint_url: string }
    const headers = { 'content-language': 'fr' }
    const answer = await site().peer.ask('POST', endpoint_url, { ...asked, headers })
    expect([answer.status, answer.text]).toEqual([200, '{"sets":{}}'])
    expect((await stream.poll()).text).toBe('{"sets":{}}')
  })

  it('POLL-2.5-2, POLL-2.2-7, POLL-2.5-1: a poll is held until there is something, or its time is over', async () => {
    const stream = await createPolled(site().peer)
    const held = stream.poll({ returnImmediately: false })
    await revoke('held')
    const { sets } = (await held).json as unknown as Polled
    expect(Object.keys(sets)).toHaveLength(1)
    const ack = Object.keys(sets)
    const empty = await stream.poll({ ack, returnImmediately: false })
    expect([empty.status, empty.text]).toEqual([200, '{"sets":{}}'])
  })

  it('POLL-2.5.1-2: a poll that cannot be parsed, or is none, is 400', async () => {
    const { configuration } = await createPolled(site().peer)
    const { endpoint_url } = configuration['delivery'] as { endpoint_url: string }
    for (const body of ['{', '', '[]', '{"maxEvents":"2"}', '{"ack":"x"}']) {
      expect((await site().peer.ask('POST', endpoint_url, { body })).status).toBe(400)
    }
  })

  it('SSF-8.1.2.1-5, SSF-8.1.2.1-6, SSF-8.1.2.1-7, SSF-8.1.2.1-9, GAP-13, GAP-14: paused, events and verifications are held in order', async () => {
    const stream = await createPolled(site().peer)
    await revoke('before')
    const { sets } = (await stream.poll()).json as unknown as Polled
    await stream.status('paused')
    await revoke('one')
    await revoke('two')
    expect((await stream.verify('held')).status).toBe(204)
    const polled = await stream.poll({ ack: Object.keys(sets) })
    expect(polled.status).toBe(200)
    expect(eventsOf(await stream.drain())).toEqual([])
    await stream.status('enabled')
    expect(eventsOf(await stream.drain())).toEqual([
      because('one'),
      because('two'),
      { state: 'held' },
    ])
  })

  it('SSF-8.1.2.1-10, GAP-13: disabled, nothing is sent or kept; enabled again, events flow', async () => {
    const stream = await createPolled(site().peer)
    await stream.status('disabled')
    await revoke('lost')
    expect((await stream.verify('lost')).status).toBe(204)
    expect((await stream.poll()).status).toBe(200)
    expect(eventsOf(await stream.drain())).toEqual([])
    expect((await stream.status('enabled')).status).toBe(200)
    await revoke('flows')
    expect(eventsOf(await stream.drain())).toEqual([because('flows')])
  })

  it('SSF-8.1.2-1: the status of one stream is none of another’s', async () => {
    const [one, two] = [await createPolled(site().peer), await createPolled(site().peer)]
    await one.status('disabled')
    await revoke('for one')
    expect(eventsOf(await one.drain())).toEqual([])
    expect(eventsOf(await two.drain())).toEqual([because('for one')])
  })

  it('SSF-7.1-17: a subject that was removed sends nothing until it is added again', async () => {
    const { peer } = site()
    const stream = await createPolled(peer)
    const subject = { format: 'email', email: 'carol@receiver.example' }
    const body = { stream_id: stream.stream_id, subject }
    await peer.ask('POST', 'remove_subject_endpoint', { body })
    await revoke('silent', 'carol')
    await revoke('heard', 'alice')
    expect(eventsOf(await stream.drain())).toEqual([because('heard')])
    await peer.ask('POST', 'add_subject_endpoint', { body })
    await revoke('heard again', 'carol')
    expect(eventsOf(await stream.drain())).toEqual([because('heard again')])
  })
}
