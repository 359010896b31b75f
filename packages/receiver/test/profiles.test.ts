import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { SecurityEvent } from '@drawbridge/schema'
import { caepInterop, tolerant } from '@drawbridge/schema/profiles'
import { ScimDeactivate, ScimPatchNotice } from '@drawbridge/schema/scim'
import {
  createReceiver,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import {
  fakeTransmitter,
  sessionRevoked,
  type FakeTransmitter,
} from './support/fake-transmitter.ts'

let transmitter: FakeTransmitter
let receiver: Receiver
let handled: SecurityEvent[]
let noticed: string[]

function make(options: Partial<ReceiverOptions> = {}): void {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    allowInsecureHttp: true,
    push: { url: 'http://127.0.0.1/signals' },
    ...options,
  })
  handled = []
  noticed = []
  receiver.handle('*', (event) => void handled.push(event))
  receiver.events.on('set:noticed', ({ notice }) => noticed.push(notice.name))
}

const post = (body: string, type = 'application/secevent+jwt'): Promise<Response> =>
  receiver.fetch(
    new Request('http://127.0.0.1/signals', {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    }),
  )

const errOf = async (answer: Response): Promise<unknown> => {
  expect(answer.status).toBe(400)
  return ((await answer.json()) as { err: unknown }).err
}

beforeEach(async () => {
  transmitter = await fakeTransmitter()
  make()
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

/** What an old peer sends: the subject in the event, a number for "txn", no "sub_id". */
const draftClaims = (): Record<string, unknown> => ({
  sub_id: undefined,
  txn: 8_675_309,
  events: {
    [sessionRevoked]: {
      subject: { subject_type: 'iss-sub', iss: transmitter.issuer, sub: 'alice' },
      reason_admin: 'Account closed',
    },
  },
})

describe('the profile of a Receiver', () => {
  it('COMPAT-1-5 COMPAT-1-6: by default, what drafts sent is refused', async () => {
    expect(await errOf(await post(await transmitter.sign({ claims: draftClaims() })))).toBe(
      'invalid_request',
    )
    expect(handled).toEqual([])
  })

  it('COMPAT-1-5 COMPAT-1-6 COMPAT-1-9 COMPAT-1-10: tolerant reads it, and says what it put right', async () => {
    make({ profile: tolerant })
    expect((await post(await transmitter.sign({ claims: draftClaims() }))).status).toBe(202)
    expect(handled[0]).toMatchObject({
      subject: { format: 'iss_sub', iss: transmitter.issuer, sub: 'alice' },
      payload: { reason_admin: { und: 'Account closed' } },
      txn: '8675309',
    })
    expect(noticed).toEqual([
      'numeric-txn',
      'plain-reason',
      'subject-type',
      'draft-format',
      'subject-in-event',
    ])
  })

  it.each([undefined, 'JWT'])('SSF-4.1.1-2: "typ" %s passes with tolerant alone', async (typ) => {
    const token = await transmitter.sign({ header: { typ } })
    expect(await errOf(await post(token))).toBe('invalid_request')
    make({ profile: tolerant })
    expect((await post(token)).status).toBe(202)
  })

  it('SSF-4.1.3-1: tolerant takes no other token for a SET', async () => {
    make({ profile: tolerant })
    for (const typ of ['at+jwt', 'logout+jwt']) {
      expect(await errOf(await post(await transmitter.sign({ header: { typ } })))).toBe(
        'invalid_request',
      )
    }
    const idToken = await transmitter.sign({ header: { typ: 'JWT' }, claims: { sub: 'alice' } })
    expect(await errOf(await post(idToken))).toBe('invalid_request')
    const expiring = await transmitter.sign({ header: { typ: 'JWT' }, claims: { exp: 9e9 } })
    expect(await errOf(await post(expiring))).toBe('invalid_request')
    expect(handled).toEqual([])
  })

  it('a wrong Content-Type passes with tolerant alone', async () => {
    const token = await transmitter.sign()
    expect((await post(token, 'text/plain')).status).toBe(415)
    make({ profile: tolerant })
    expect((await post(token, 'text/plain')).status).toBe(202)
  })

  it('CIOP-2.6-1: caep-interop takes no signature but RS256', async () => {
    make({ profile: caepInterop })
    expect(await errOf(await post(await transmitter.sign()))).toBe('invalid_key')
  })

  it('of several events, takes those about the stream for itself and handles the others', async () => {
    make({ profile: tolerant })
    const updated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated'
    const statuses: string[] = []
    receiver.events.on('stream:updated', ({ status }) => statuses.push(status))
    for (const uris of [
      [updated, sessionRevoked],
      [sessionRevoked, updated],
    ]) {
      const entries = uris.map((uri) => [uri, uri === updated ? { status: 'paused' } : {}])
      const token = await transmitter.sign({ claims: { events: Object.fromEntries(entries) } })
      expect((await post(token)).status).toBe(202)
    }
    expect(handled.map(({ type }) => type)).toEqual([sessionRevoked, sessionRevoked])
    expect(statuses).toEqual(['paused', 'paused'])
    noticed = []
    const events = { [updated]: { status: 'enabled', event_timestamp: Date.now() - 5000 } }
    expect((await post(await transmitter.sign({ claims: { events } }))).status).toBe(202)
    expect(noticed).toEqual(['event-time-milliseconds'])
  })

  it('names the option that is no profile', () => {
    expect(() => make({ profile: 'tolerant' as never })).toThrow('"profile" must be a profile')
  })
})

describe('what every Receiver does with a SET', () => {
  it('SSF-3.3-4: refuses a member that occurs twice: nobody can tell which subject is meant', async () => {
    const user = (sub: string): string =>
      `"user":{"format":"iss_sub","iss":"${transmitter.issuer}","sub":"${sub}"}`
    const claims = (members: string): string =>
      JSON.stringify({
        iss: transmitter.issuer,
        aud: 'app',
        iat: 1,
        jti: 'j',
        events: { [sessionRevoked]: {} },
      }).replace(/\}$/, `,"sub_id":{"format":"complex",${members}}}`)
    const twice = await transmitter.signText(claims(`${user('alice')},${user('bob')}`))
    expect(await errOf(await post(twice))).toBe('invalid_request')
    expect(handled).toEqual([])
    expect((await post(await transmitter.signText(claims(user('alice'))))).status).toBe(202)
    expect(handled).toHaveLength(1)
  })

  it('RFC 9967: handles each event of a SET of the SCIM family once, with a key of its own', async () => {
    const keys: string[] = []
    receiver.handle('*', (_event, { key }) => void keys.push(key))
    const token = await transmitter.sign({
      claims: {
        sub_id: { format: 'scim', uri: '/Users/1' },
        events: { [ScimPatchNotice.uri]: { attributes: ['active'] }, [ScimDeactivate.uri]: {} },
      },
    })
    expect([(await post(token)).status, (await post(token)).status]).toEqual([202, 202])
    expect(handled.map(({ type }) => type)).toEqual([ScimPatchNotice.uri, ScimDeactivate.uri])
    expect(new Set(keys).size).toBe(2)
  })

  it('RFC 9967: judges each event of such a SET before any of them is handled', async () => {
    const events = { [ScimDeactivate.uri]: {}, [ScimPatchNotice.uri]: { attributes: 'active' } }
    const sub_id = { format: 'scim', uri: '/Users/1' }
    const token = await transmitter.sign({ claims: { sub_id, events } })
    expect(await errOf(await post(token))).toBe('invalid_request')
    expect(handled).toEqual([])
  })

  it('SSF-3.6-3: discards an event with a critical member that it cannot process', async () => {
    const metadata = {
      issuer: transmitter.issuer,
      jwks_uri: `${transmitter.issuer}/jwks`,
      configuration_endpoint: `${transmitter.issuer}/streams`,
      critical_subject_members: ['user', 'badge'],
    }
    const line = 'GET /.well-known/ssf-configuration'
    const opaque = (id: string): object => ({ format: 'opaque', id })
    const both = { format: 'complex', user: opaque('u'), badge: opaque('b') }
    const discarded: unknown[] = []

    transmitter.answerNext(line, 200, metadata)
    receiver.events.on('set:discarded', ({ jti, member }) => discarded.push([jti, member]))
    const token = await transmitter.sign({ claims: { jti: 'j1', sub_id: both } })
    expect([(await post(token)).status, (await post(token)).status]).toEqual([202, 202])
    expect([handled, discarded]).toEqual([[], [['j1', 'badge']]])
    const users = { format: 'complex', user: opaque('u') }
    expect((await post(await transmitter.sign({ claims: { sub_id: users } }))).status).toBe(202)
    expect(handled).toHaveLength(1)

    transmitter.answerNext(line, 200, metadata)
    make({ subjectMembers: ['user', 'badge'] })
    expect((await post(await transmitter.sign({ claims: { sub_id: both } }))).status).toBe(202)
    expect(handled).toHaveLength(1)
  })
})
