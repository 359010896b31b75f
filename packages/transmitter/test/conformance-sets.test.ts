import { afterEach, describe, expect, it } from '@jest/globals'
import { email, jwtId, opaque, type EventType } from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  CredentialChange,
  DeviceComplianceChange,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { AccountDisabled } from '@drawbridge/schema/risc'
import { staticTokens, type Transmitter, type TransmitterOptions } from '../src/index.ts'
import {
  call,
  claimsOf,
  countEvents,
  createStream,
  makeTransmitter,
  poll,
  pushEndpoint,
  pushTo,
  user,
} from './support.ts'

let transmitter: Transmitter
const start = async (options: Partial<TransmitterOptions> = {}): Promise<void> => {
  transmitter = makeTransmitter(options)
  await transmitter.start()
}
afterEach(() => transmitter.stop())

const setsOf = async (streamId: string): Promise<string[]> =>
  Object.values((await poll(transmitter, streamId)).sets)

describe('audiences', () => {
  it('SSF-4.1.8-2: "aud" is whatever the two have agreed on, a URL or a client id', async () => {
    for (const audience of ['https://one.example/ssf', 'client-7', 'urn:example:receiver']) {
      await start({ authenticate: staticTokens([{ token: 'token-one', id: 'one', audience }]) })
      const id = await createStream(transmitter)
      await transmitter.transmit(SessionRevoked, user('alice'), {})
      expect((await setsOf(id)).map((set) => claimsOf(set).aud)).toEqual([audience])
      await transmitter.stop()
    }
  })

  it('SSF-4.1.8-3, SSF-4.1.8-4, GAP-24: Receivers with one endpoint get a SET each, for one audience', async () => {
    const endpoint = await pushEndpoint()
    await start()
    await createStream(transmitter, pushTo(endpoint.url))
    await call(transmitter, 'POST /streams', {
      token: 'token-two',
      body: { events_requested: [SessionRevoked.uri], ...pushTo(endpoint.url) },
    })
    const both = countEvents(transmitter, 'set:delivered', 2)
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    await both
    const claims = endpoint.received.map(({ set }) => claimsOf(set))
    expect(claims.map(({ aud }) => aud).toSorted()).toEqual([
      'https://one.example',
      'https://two.example',
    ])
    expect(new Set(claims.map(({ jti }) => jti)).size).toBe(2)
    expect(new Set(claims.map(({ txn }) => txn)).size).toBe(1)
    await endpoint.close()
  })
})

describe('causes', () => {
  it('SSF-4.1.9-2, SET-5.3-2: each has its own "txn", in the order of the calls', async () => {
    await start()
    const txns: string[] = []
    for (let n = 0; n < 5; n++) {
      txns.push((await transmitter.transmit(SessionRevoked, user('alice'), {})).txn)
    }
    expect(new Set(txns).size).toBe(5)
    expect(txns.toSorted()).toEqual(txns)
  })
})

const reasons = { reason_admin: { en: 'closed', de: 'zu' }, reason_user: { en: 'sorry' } }
const device = { previous_status: 'compliant', current_status: 'not-compliant' } as const
const level = { namespace: 'NIST-AAL', current_level: 'nist-aal1' } as const

describe('events', () => {
  it.each<[string, EventType, object]>([
    ['CAEP-3.2-5', TokenClaimsChange, { claims: { role: 'guest' } }],
    ['CAEP-3.3-10', CredentialChange, { credential_type: 'password', change_type: 'update' }],
    ['CAEP-3.4-12', AssuranceLevelChange, level],
    ['CAEP-3.5-6', DeviceComplianceChange, device],
  ])('%s: the cause is given to both', async (_, type, payload) => {
    await start({ eventsSupported: [type] })
    const id = await createStream(transmitter, { events_requested: [type.uri] })
    const given = { ...payload, ...reasons }
    await transmitter.transmit<object>(type, user('alice'), given)
    expect((await setsOf(id)).map((set) => claimsOf(set).events)).toEqual([{ [type.uri]: given }])
  })

  it('SSF-4.2.3-1: members that the type does not describe are sent along', async () => {
    await start()
    const id = await createStream(transmitter)
    const payload = { reason_admin: { en: 'closed' }, 'https://idp.example/ticket': 7 }
    await transmitter.transmit<object>(SessionRevoked, user('alice'), payload)
    expect((await setsOf(id)).map((set) => claimsOf(set).events)).toEqual([
      { [SessionRevoked.uri]: payload },
    ])
  })

  it.each([
    ['CAEP-4-1', SessionRevoked],
    ['RISC-4-1', AccountDisabled],
  ] as const)('%s: leave as SETs of SSF alone', async (_, type) => {
    await start({ eventsSupported: [type] })
    const id = await createStream(transmitter, { events_requested: [type.uri] })
    await transmitter.transmit<object>(type, email('alice@idp.example'), {})
    const [set = ''] = await setsOf(id)
    const header = JSON.parse(
      Buffer.from(set.split('.')[0] ?? '', 'base64url').toString(),
    ) as object
    expect(header).toMatchObject({ typ: 'secevent+jwt' })
    expect(Object.keys(claimsOf(set)).toSorted()).toEqual([
      'aud',
      'events',
      'iat',
      'iss',
      'jti',
      'sub_id',
      'txn',
    ])
  })

  it('SSF-11-1: have subjects of the formats of SSF; "invalid_state" is an answer to them', async () => {
    await start()
    const id = await createStream(transmitter)
    const subjects = [
      jwtId('https://idp.example', 'token'),
      { format: 'saml_assertion_id', issuer: 'https://idp.example', assertion_id: 'a' },
      { format: 'ip-addresses', 'ip-addresses': ['192.0.2.1', '2001:db8::1'] },
    ] as const
    for (const subject of subjects) await transmitter.transmit(SessionRevoked, subject, {})
    const { sets } = await poll(transmitter, id)
    expect(Object.values(sets).map((set) => claimsOf(set).sub_id)).toEqual(subjects)
    const [first = '', ...others] = Object.keys(sets)
    const setErrs = { [first]: { err: 'invalid_state', description: 'unknown' } }
    await poll(transmitter, id, { setErrs, ack: others })
    expect(await transmitter.deadLetters.list(id)).toMatchObject([
      { jti: first, reason: expect.stringContaining('invalid_state') },
    ])
  })
})

describe('tokens', () => {
  it('SET-2.4-1: are never without a signature', async () => {
    for (const algorithm of ['none', 'HS256', '']) {
      expect(() => makeTransmitter({ algorithm: algorithm as 'ES256' })).toThrow('"algorithm"')
    }
    await start()
    const id = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('alice'), {})
    const [set = ''] = await setsOf(id)
    expect(Buffer.from(set.split('.')[2] ?? '', 'base64url')).toHaveLength(64)
  })

  it('JOSE-8725.3.7-1: have a header and claims in UTF-8', async () => {
    await start()
    const id = await createStream(transmitter)
    const payload = { reason_admin: { de: 'Zugang für „Ælfþryð“ beendet 🔒' } }
    await transmitter.transmit(SessionRevoked, opaque('Ælfþryð'), payload)
    const [set = ''] = await setsOf(id)
    const [, claims] = set.split('.', 2).map((part) => {
      const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      return JSON.parse(utf8.decode(Buffer.from(part, 'base64url'))) as object
    })
    expect(claims).toMatchObject({
      sub_id: opaque('Ælfþryð'),
      events: { [SessionRevoked.uri]: payload },
    })
  })
})
