import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  createReceiver,
  memoryInbox,
  staticToken,
  type Receiver,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { email, issSub, opaque, type SecurityEvent, type Subject } from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
} from '@drawbridge/schema/caep'
import { Verification } from '@drawbridge/schema/ssf'
import { createTestTransmitter, type SetChanges, type TestTransmitter } from '@drawbridge/testkit'

let transmitter: TestTransmitter
let receiver: Receiver
let events: SecurityEvent[]

function make(options: Partial<ReceiverOptions> = {}): void {
  events = []
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    push: { url: 'http://127.0.0.1/signals' },
    allowInsecureHttp: true,
    ...options,
  })
  receiver.handle('*', (event) => void events.push(event))
}

beforeEach(async () => {
  transmitter = await createTestTransmitter({ audience: 'app' })
  make()
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

const push = (set: string | SetChanges, headers: Record<string, string> = {}): Promise<Response> =>
  receiver.fetch(
    new Request('http://127.0.0.1/signals', {
      method: 'POST',
      body: typeof set === 'string' ? set : transmitter.sign(set),
      headers: { 'content-type': 'application/secevent+jwt', ...headers },
    }),
  )

/** The code that a SET is refused with; nobody is told of its event. */
async function refusalOf(set: string | SetChanges): Promise<unknown> {
  const answer = await push(set)
  expect([answer.status, events.length]).toEqual([400, 0])
  return ((await answer.json()) as { err: unknown }).err
}

const registered = [
  'invalid_request',
  'invalid_key',
  'invalid_issuer',
  'invalid_audience',
  'authentication_failed',
  'access_denied',
  'invalid_state',
]

const [head, body, signature] = ['eyJhbGciOiJFUzI1NiJ9', 'e30', 'AAAA'] as const

describe('a SET that does not hold', () => {
  const bad: readonly (readonly [string, SetChanges | string])[] = [
    ['is no JWS', 'nonsense'],
    ['has a part too few', `${head}.${body}`],
    ['has five parts, as an encrypted one', [head, body, signature, body, signature].join('.')],
    ['has a header that is no JSON', `AAAA.${body}.${signature}`],
    ['is of another issuer', { claims: { iss: 'https://elsewhere.example' } }],
    ['is for somebody else', { claims: { aud: 'other' } }],
    ['is by no key', { header: { kid: 'never seen' } }],
    ['is no SET by its type', { header: { typ: 'JWT' } }],
    ['has no events, as an access token', { claims: { events: undefined } }],
    ['has no jti', { claims: { jti: undefined } }],
    ['has a payload that its type forbids', { payload: { initiating_entity: 'nobody' } }],
  ]

  it.each(bad)(
    'and %s is 400 with a registered code and a description in English (PUSH-2-1, PUSH-2.3-2, PUSH-2.3-3, PUSH-2.3-4, PUSH-2.3-6, PUSH-2.4-8, SET-3-1, SET-4.3-1, JOSE-7519.7.2-1, JOSE-8725.3.3-1)',
    async (_, changes) => {
      const set = typeof changes === 'string' ? changes : transmitter.sign(changes)
      for (const headers of [{}, { 'accept-language': 'fr' }]) {
        const answer = await push(set, headers)
        expect(answer.status).toBe(400)
        expect(answer.headers.get('content-type')).toBe('application/json')
        expect(answer.headers.get('content-language')).toBe('en')
        const { err, description, ...rest } = (await answer.json()) as Record<string, string>
        expect(registered).toContain(err)
        expect(description).toMatch(/^[\u0020-\u007E]+$/)
        expect(rest).toEqual({})
      }
      expect(events).toEqual([])
    },
  )

  it('PUSH-2.3-1: problems of HTTP have their own statuses', async () => {
    const set = transmitter.sign()
    expect((await push(set, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await push('x'.repeat(65 * 1024))).status).toBe(413)
    expect((await receiver.fetch(new Request('http://127.0.0.1/signals'))).status).toBe(405)
  })
})

describe('before anything costs something', () => {
  it('PUSH-3-2 PUSH-5.4-1: who cannot authenticate is refused, and nobody is asked for keys', async () => {
    make({ push: { url: 'http://127.0.0.1/signals', authorizationHeader: 'Bearer agreed' } })
    for (const authorization of ['Bearer other', 'bearer agreed', '']) {
      const answer = await push({}, { authorization })
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { err: 'authentication_failed' },
      ])
    }
    expect(transmitter.requests).toEqual([])
    expect((await push({}, { authorization: 'Bearer agreed' })).status).toBe(202)
  })

  it('PUSH-2-4 PUSH-2-5: where what is stored is acknowledged, that is before its handler is done', async () => {
    let goOn = (): void => undefined
    const waiting = new Promise<void>((resolve) => (goOn = resolve))
    make({ acknowledge: 'stored', inbox: memoryInbox() })
    receiver.handle('*', () => waiting)
    await receiver.start()
    expect((await push({})).status).toBe(202)
    goOn()
  })
})

describe('the keys of the Transmitter', () => {
  const jwk = async (): Promise<object> => {
    const answer = await fetch(`${transmitter.issuer}/jwks`)
    const { keys } = (await answer.json()) as { keys: object[] }
    return keys[0] ?? {}
  }
  const publish = (...keys: readonly object[]): void =>
    void transmitter.always('GET /jwks', (response) => void response.end(JSON.stringify({ keys })))

  it('JOSE-7517.5-1: a key of a kind that is not known does not spoil the others', async () => {
    publish({ kty: 'exotic', kid: 'key-1' }, {}, { kty: 'EC', kid: 'key-1' }, await jwk())
    expect((await push({})).status).toBe(202)
  })

  it.each([{ use: 'enc' }, { alg: 'ES384' }, { key_ops: ['sign'] }])(
    'JOSE-7517.4-1: a key with %j verifies no ES256',
    async (member) => {
      publish({ ...(await jwk()), ...member })
      expect(await refusalOf({})).toBe('invalid_key')
    },
  )
})

describe('signature and header', () => {
  it('JOSE-7515.4.1.1-1: "alg" must be on the list of the Receiver', async () => {
    make({ algorithms: ['RS256'] })
    expect(await refusalOf({})).toBe('invalid_key')
    expect(await refusalOf({ header: { alg: undefined } })).toBe('invalid_request')
    make({ algorithms: ['ES256'] })
    expect((await push({})).status).toBe(202)
  })

  it.each(['secevent+jwt', 'application/secevent+jwt', 'Application/SecEvent+JWT'])(
    'JOSE-7515.4.1.9-1: the type %s is that of a SET',
    async (typ) => {
      expect((await push({ header: { typ } })).status).toBe(202)
    },
  )

  it('JOSE-7515.4.1.11-1: a critical extension that nobody understands refuses the SET', async () => {
    expect(await refusalOf({ header: { crit: ['exotic'], exotic: 1 } })).toBe('invalid_key')
    events = []
    expect((await push({ header: { exotic: 1 } })).status).toBe(202)
  })

  it.each(['jku', 'x5u', 'jwk', 'x5c'])(
    'SSF-4.1.4-1 JOSE-7515.4.1.2-1 JOSE-8725.3.8-1 CIOP26-2.4.2-1: a key that the header brings in "%s" is no key, and nobody is asked for it',
    async (name) => {
      const thief = await createTestTransmitter({ audience: 'app' })
      try {
        const values: Record<string, unknown> = {
          jku: `${thief.issuer}/jwks`,
          x5u: `${thief.issuer}/jwks`,
          jwk: await (await fetch(`${thief.issuer}/jwks`)).json(),
          x5c: ['AAAA'],
        }
        const asked = thief.requests.length
        const claims = { iss: transmitter.issuer }
        const set = thief.sign({ claims, header: { kid: 'theirs', [name]: values[name] } })
        expect(await refusalOf(set)).toBe('invalid_key')
        // By the name of a key of the Transmitter, too.
        expect(await refusalOf(thief.sign({ claims, header: { [name]: values[name] } }))).toBe(
          'invalid_key',
        )
        expect(thief.requests.length).toBe(asked)
        expect(transmitter.requests.map(({ line }) => line)).toContain('GET /jwks')
      } finally {
        await thief.close()
      }
    },
  )

  it('JOSE-7519.4.1.3-1 JOSE-8725.3.9-1: "aud" names the Receiver, alone or among others, letter for letter', async () => {
    for (const aud of ['app', ['other', 'app']]) {
      expect((await push({ claims: { aud } })).status).toBe(202)
    }
    events = []
    for (const aud of ['APP', 'app ', 'ap', ['other'], [], undefined]) {
      expect(['invalid_audience', 'invalid_request']).toContain(
        await refusalOf({ claims: { aud } }),
      )
    }
  })

  it('JOSE-7519.4-1: a claim that is there twice refuses the SET, and an unknown one is ignored', async () => {
    const claims = JSON.stringify({
      iss: transmitter.issuer,
      iat: Math.floor(Date.now() / 1000),
      jti: 'one',
      aud: 'app',
      unknown: { deep: true },
      sub_id: opaque('someone'),
      events: { [SessionRevoked.uri]: {} },
    })
    const twice = claims.replace('{', '{"jti":"first",')
    expect(await refusalOf(transmitter.signText(twice))).toBe('invalid_request')
    expect((await push(transmitter.signText(claims))).status).toBe(202)
  })
})

describe('subjects', () => {
  it('SUBID-4.1-3: a SET with "sub" beside "sub_id" is refused: nothing can be put together from both', async () => {
    expect(await refusalOf({ claims: { sub: 'alice' } })).toBe('invalid_request')
  })

  it('SUBID-4.2-1: the issuer of a subject is what it is, whoever sent the SET', async () => {
    const subject = issSub('https://elsewhere.example', 'alice')
    expect((await push({ subject })).status).toBe(202)
    expect(events[0]).toMatchObject({ subject, iss: transmitter.issuer })
  })

  it('SSF-3.6-1: every member of a complex subject comes to the handler, unknown ones too', async () => {
    const subject = {
      format: 'complex',
      user: email('alice@app.example'),
      device: opaque('laptop'),
      tenant: opaque('one'),
      building: opaque('five'),
    } as unknown as Subject
    expect((await push({ subject })).status).toBe(202)
    expect(events[0]?.subject).toEqual(subject)
  })

  it.each([email('alice@app.example'), issSub('https://idp.example', 'alice'), opaque('alice')])(
    'CIOP-2.5-2: the format $format is taken',
    async (subject) => {
      expect((await push({ subject })).status).toBe(202)
      expect(events[0]?.subject).toEqual(subject)
    },
  )

  it('CIOP-2.4.2-1 CIOP26-2.4.4-1 SSF-7.1-19 SSF-8.1.3-1 SSF-9.3-2: an event about anybody is taken, also about who was removed', async () => {
    make({ push: { url: 'http://127.0.0.1:9/signals' } })
    await receiver.start()
    expect(transmitter.requests.map(({ line }) => line)).not.toContain('POST /subjects:add')
    await receiver.ownStream?.addSubject(opaque('gone'))
    await receiver.ownStream?.removeSubject(opaque('gone'))
    const body = { stream_id: 'stream-1', subject: opaque('gone') }
    expect(transmitter.requests).toContainEqual(
      expect.objectContaining({ line: 'POST /subjects:add', body }),
    )
    expect(transmitter.requests).toContainEqual(
      expect.objectContaining({ line: 'POST /subjects:remove', body }),
    )
    for (const who of ['gone', 'never heard of']) {
      expect((await push({ subject: opaque(who) })).status).toBe(202)
    }
    expect(events).toHaveLength(2)
  })
})

describe('payloads', () => {
  const accepted = async (type: string, payload: object): Promise<void> => {
    expect((await push({ type, payload })).status).toBe(202)
    expect(events.at(-1)?.payload).toEqual(payload)
  }

  it.each(['create', 'revoke', 'update', 'delete'])(
    'CIOP-3.2-2: the change_type %s comes to the handler',
    async (change_type) => {
      await accepted(CredentialChange.uri, { credential_type: 'password', change_type })
    },
  )

  it.each([
    'password',
    'pin',
    'x509',
    'fido2-platform',
    'fido2-roaming',
    'fido-u2f',
    'verifiable-credential',
    'phone-voice',
    'phone-sms',
    'app',
  ])('CIOP-3.2-3: the credential_type %s comes to the handler', async (credential_type) => {
    await accepted(CredentialChange.uri, { credential_type, change_type: 'update' })
  })

  it.each([
    ['compliant', 'not-compliant'],
    ['not-compliant', 'compliant'],
  ])('CIOP26-3.3-2: a change from %s to %s comes to the handler', async (previous, current) => {
    const payload = { previous_status: previous, current_status: current }
    await accepted(DeviceComplianceChange.uri, payload)
  })

  it('CAEP-3.4-7: a previous level of assurance that is not told stays unknown', async () => {
    const payload = { namespace: 'NIST-AAL', current_level: 'nist-aal2' }
    await accepted(AssuranceLevelChange.uri, payload)
    expect(events[0]?.payload).not.toHaveProperty('previous_level')
  })

  it('CAEP-3.8-8: a previous level of risk that is not told stays unknown', async () => {
    await accepted(RiskLevelChange.uri, { principal: 'USER', current_level: 'HIGH' })
    expect(events[0]?.payload).not.toHaveProperty('previous_level')
  })
})

describe('verification', () => {
  it('SSF-8.1.4.2-8: what was asked for may come late, in any order, and among other events', async () => {
    await receiver.start()
    for (const _ of [1, 2]) await receiver.ownStream?.requestVerification()
    const asked = transmitter.requests.filter(({ line }) => line === 'POST /verify')
    const [stream] = transmitter.streams
    expect(asked).toHaveLength(3)
    for (const { body: request } of asked.toReversed()) {
      expect((await push({})).status).toBe(202)
      const { state } = request as { state: string }
      const subject = opaque(stream?.stream_id ?? '')
      const answer = await push({ type: Verification.uri, payload: { state }, subject })
      expect(answer.status).toBe(202)
    }
    expect(events).toHaveLength(3)
    await receiver.verified()
  })
})
