import { afterEach, describe, expect, it } from '@jest/globals'
import { opaque } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import type { Transmitter, TransmitterOptions } from '../src/index.ts'
import { manualClock, settled } from '@drawbridge/testkit'
import { call, claimsOf, createStream, makeTransmitter, poll, user } from './support.ts'

let transmitter: Transmitter
const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
  transmitter = makeTransmitter(options)
  await transmitter.start()
}
afterEach(() => transmitter.stop())

const json = async (route: string, body?: object): Promise<Record<string, unknown>> =>
  (await call(transmitter, route, { body })).json() as Promise<Record<string, unknown>>

describe('the management API', () => {
  it('SSF-7.1.1-1: is protected by whatever scheme the application has', async () => {
    const one = { id: 'one', audience: 'https://one.example', scopes: ['ssf.manage'] }
    await start({
      authenticate: ({ headers }) => (headers.get('x-client-cert') === 'abc' ? one : undefined),
    })
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await call(transmitter, 'GET /streams', { token: null, headers })).status
    expect(await status({ 'x-client-cert': 'abc' })).toBe(200)
    expect(await status({ 'x-client-cert': 'abd' })).toBe(401)
    expect(await status({})).toBe(401)
  })

  it('SSF-7.2.1-3: issuers of one host are told apart by their paths', async () => {
    await start()
    const other = makeTransmitter({ issuer: 'https://idp.example/other' })
    await other.start()
    const at = (tenant: string): string => `/.well-known/ssf-configuration/${tenant}`
    for (const [one, tenant] of [
      [transmitter, 'tenant'],
      [other, 'other'],
    ] as const) {
      const wrong = tenant === 'other' ? 'tenant' : 'other'
      expect([one.serves(at(tenant)), one.serves(at(wrong))]).toEqual([true, false])
      const answer = await call(one, `GET https://idp.example${at(tenant)}`, { token: null })
      expect(await answer.json()).toMatchObject({ issuer: `https://idp.example/${tenant}` })
    }
    await other.stop()
  })
})

describe('the event types', () => {
  it('CIOP-2.2-1: are those of CAEP 1.0, by default the ones of its interoperability profile', async () => {
    await start()
    const base = 'https://schemas.openid.net/secevent/caep/event-type'
    expect(await json('POST /streams', {})).toMatchObject({
      events_supported: [
        `${base}/session-revoked`,
        `${base}/credential-change`,
        `${base}/device-compliance-change`,
      ],
    })
  })

  it('CIOP-1-1, CIOP-3-1: may be some of them: then no others are offered, delivered or taken', async () => {
    await start({ eventsSupported: [CredentialChange] })
    const events_requested = [SessionRevoked.uri, CredentialChange.uri]
    expect(await json('POST /streams', { events_requested })).toMatchObject({
      events_supported: [CredentialChange.uri],
      events_requested,
      events_delivered: [CredentialChange.uri],
    })
    await expect(transmitter.transmit(SessionRevoked, user('a'), {})).rejects.toThrow('"type"')
  })
})

describe('subjects', () => {
  const add = (stream_id: string, id: string, more: object = {}): Promise<Response> =>
    call(transmitter, 'POST /subjects:add', {
      body: { stream_id, subject: { format: 'opaque', id }, ...more },
    })
  const reached = async (id: string): Promise<number> =>
    (await transmitter.transmit(SessionRevoked, opaque(id), {})).deliveries.length

  it('SSF-8.1.3.2-3: one that is added without "verified" is sent as one that was verified', async () => {
    await start({ subjects: { byDefault: 'NONE' } })
    const stream = await createStream(transmitter)
    await add(stream, 'said', { verified: true })
    await add(stream, 'unsaid')
    expect([await reached('said'), await reached('unsaid'), await reached('absent')]).toEqual([
      1, 1, 0,
    ])
  })

  it('SSF-8.1.3.2-5, SSF-9.1-2, SSF-9.2-1, SSF-9.2-2: one that nothing may be sent about is added like every other', async () => {
    await start({
      subjects: { byDefault: 'NONE' },
      permitEvent: ({ subject }) => JSON.stringify(subject) === JSON.stringify(opaque('willing')),
    })
    const stream = await createStream(transmitter)
    for (const id of ['willing', 'opted out']) {
      const answer = await add(stream, id)
      expect([answer.status, await answer.text()]).toEqual([200, ''])
    }
    expect([await reached('willing'), await reached('opted out')]).toEqual([1, 0])
  })
})

describe('time', () => {
  it('SSF-8.1.2.1-8: what a paused stream holds is dropped at the limit, the oldest first', async () => {
    const clock = manualClock()
    await start({ clock, retention: { maxRows: 1 } })
    const stream_id = await createStream(transmitter)
    await call(transmitter, 'POST /status', { body: { stream_id, status: 'paused' } })
    for (const n of [1, 2]) {
      await transmitter.transmit(SessionRevoked, user('a'), { event_timestamp: n })
    }
    await clock.advance(60_000)
    await call(transmitter, 'POST /status', { body: { stream_id, status: 'enabled' } })
    const { sets } = await poll(transmitter, stream_id)
    expect(Object.values(sets).map((set) => claimsOf(set).events)).toEqual([
      { [SessionRevoked.uri]: { event_timestamp: 2 } },
    ])
  })

  it('POLL-2.5-2: by default, a poll is held for some seconds, and well under a minute', async () => {
    const clock = manualClock()
    await start({ clock })
    const id = await createStream(transmitter)
    const before = clock.sleepers
    let isAnswered = false
    const answer = call(transmitter, `POST /poll/${id}`, { body: {} }).finally(() => {
      isAnswered = true
    })
    while (clock.sleepers === before) await settled()
    await clock.advance(5_000)
    expect(isAnswered).toBe(false)
    await clock.advance(45_000)
    expect(await (await answer).text()).toBe('{"sets":{}}')
  })
})
