import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  checkPayload,
  complex,
  createProfile,
  email,
  issSub,
  opaque,
  type SecurityEventToken,
  type SetClaims,
} from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  SessionEstablished,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { caepInterop, strict, tolerant } from '@drawbridge/schema/profiles'
import { CredentialCompromise } from '@drawbridge/schema/risc'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { aSubject, claims, setErrorOf, thrownBy } from './support.ts'

const iat = 1_750_000_000
const alice = issSub('https://idp.example', 'alice')
const draft = 'https://schemas.openid.net/secevent'

const names = ({ notices }: SecurityEventToken): string[] => notices.map(({ name }) => name)
const read = (changes: Readonly<Record<string, unknown>>): SecurityEventToken =>
  tolerant.read(claims(changes))
const inEvent = (payload: object): Readonly<Record<string, unknown>> => ({
  events: { [SessionRevoked.uri]: payload },
})

describe('every profile', () => {
  it.each([strict, caepInterop, tolerant])(
    '$name reads a SET of 1.0 without a notice',
    (profile) => {
      const all = claims()
      const set = profile.read(all)
      expect(set.notices).toEqual([])
      expect(set.claims).toEqual(all)
      expect(set.original).toBe(all)
    },
  )

  it.each([strict, caepInterop, tolerant])(
    'CAEP-2-1 COMPAT-1-8: $name reads milliseconds as such, with one notice',
    (profile) => {
      const original = claims({
        toe: (iat - 9) * 1000,
        ...inEvent({ event_timestamp: (iat - 5) * 1000 }),
      })
      const set = profile.read(original)
      expect(names(set)).toEqual(['event-time-milliseconds'])
      expect(set.events[0]).toMatchObject({ time: iat - 5, payload: { event_timestamp: iat - 5 } })
      expect(set.events[0].notices).toEqual(set.notices)
      expect(set.claims.toe).toBe(iat - 9)
      expect(set.original).toBe(original)
    },
  )

  it.each([strict, caepInterop, tolerant])(
    'SSF-4.2.1-2 SET-2-3: $name reads two names of one event type as one event',
    (profile) => {
      const payload = { state: 's' }
      const events = {
        [`${draft}/sse/event-type/verification`]: payload,
        [Verification.uri]: payload,
      }
      const set = profile.read(claims({ sub_id: opaque('stream'), events }))
      expect(set.events.map(({ type }) => type)).toEqual([Verification.uri])
      expect(names(set)).toEqual(['alternative-names'])
    },
  )

  it.each([strict, caepInterop, tolerant])(
    'RISC-2.7-4 RISC-2.7-5: $name reads a reason of RISC as text or map (GAP-28), one of CAEP as map alone',
    (profile) => {
      const payload = {
        credential_type: 'password',
        reason_admin: 'leaked',
        reason_user: { en: 'x' },
      }
      const set = profile.read(claims({ events: { [CredentialCompromise.uri]: payload } }))
      expect(checkPayload(CredentialCompromise, set.events[0].payload)).toEqual({
        ...payload,
        reason_admin: { und: 'leaked' },
      })
      expect(names(set)).toEqual(['plain-reason'])
      const ofCaep = profile.read(claims(inEvent({ reason_admin: 'x' }))).events[0].payload
      expect('issues' in SessionRevoked.validate(ofCaep)).toBe(profile !== tolerant)
    },
  )

  it.each([strict, caepInterop, tolerant])('$name never relaxes "sub", "exp", "iss"', (profile) => {
    for (const change of [{ sub: 'alice' }, { exp: iat }, { iss: '' }, { jti: 7 }]) {
      expect(setErrorOf(() => profile.read(claims(change))).code).toBe('ERR_SET_CLAIM')
    }
  })

  it('reads what it read without changing or noticing anything more', () => {
    const odd = fc.record(
      {
        txn: fc.oneof(fc.nat(), fc.string()),
        toe: fc.oneof(fc.nat(iat), fc.constant(iat * 1000)),
        sub_id: fc.oneof(aSubject, fc.constant({ user: alice, device: opaque('d') })),
        payload: fc.record(
          {
            subject: fc.oneof(
              aSubject,
              fc.constant({ subject_type: 'iss-sub', iss: 'i', sub: 's' }),
            ),
            reason_admin: fc.oneof(fc.string(), fc.constant({ en: 'why' })),
            amr: fc.oneof(fc.string(), fc.constant(['pwd'])),
            event_timestamp: fc.oneof(fc.nat(iat), fc.constant(iat * 1000)),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['payload'] },
    )
    fc.assert(
      fc.property(odd, ({ payload, ...changes }) => {
        const input = claims({ sub_id: undefined, ...changes, ...inEvent(payload) })
        const before = JSON.stringify(input)
        let once: SecurityEventToken
        try {
          once = tolerant.read(input)
        } catch (error) {
          expect(error).toMatchObject({ name: 'SetError' })
          return
        }
        expect(JSON.stringify(input)).toBe(before)
        const again = tolerant.read(JSON.parse(JSON.stringify(once.claims)))
        expect(again.claims).toEqual(once.claims)
        expect(again.events.map(({ time }) => time)).toEqual(once.events.map(({ time }) => time))
        const corrected = ['event-time-in-future', 'event-time-long-ago']
        expect(names(again).filter((name) => !corrected.includes(name))).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  it('throws nothing but SetError, whatever JSON it is given', () => {
    const json = fc.json().map((text): unknown => JSON.parse(text))
    const onlySetError = (value: unknown): void => {
      for (const profile of [strict, caepInterop, tolerant]) {
        const error = thrownBy(() => profile.read(value, { streamId: 's' }))
        if (error !== undefined) expect(error).toMatchObject({ name: 'SetError' })
      }
    }
    fc.assert(fc.property(json, onlySetError))
    const claimNames = [...Object.keys(claims()), 'toe', '__proto__']
    fc.assert(
      fc.property(fc.constantFrom(...claimNames), json, (claim, value) => {
        onlySetError(Object.fromEntries([...Object.entries(claims()), [claim, value]]))
      }),
    )
    fc.assert(fc.property(json, (payload) => onlySetError(claims(inEvent(Object(payload))))))
  })
})

describe('strict', () => {
  it.each([
    ['numeric "txn"', { txn: 7 }],
    ['a subject in the event', { sub_id: undefined, ...inEvent({ subject: alice }) }],
    ['"subject_type"', { sub_id: { subject_type: 'iss-sub', iss: 'i', sub: 's' } }],
    ['a complex subject without "format"', { sub_id: { user: alice } }],
  ])('refuses %s', (_what, change) => {
    expect(setErrorOf(() => strict.read(claims(change))).err).toBe('invalid_request')
  })

  it('SUBID-3-3: writes no member that a format does not describe', () => {
    const all = claims() as unknown as SetClaims
    expect(strict.write(all)).toBe(all)
    const extra = { ...all, sub_id: { ...email('a@b.example'), display: 'Alice' } }
    expect(setErrorOf(() => strict.write(extra)).message).toContain('does not describe')
  })

  it('SET-2.2-6 GAP-19: writes no SET without an audience', () => {
    const { aud: _, ...all } = claims() as unknown as SetClaims
    expect(setErrorOf(() => strict.write(all as SetClaims)).message).toContain('"aud"')
    expect(setErrorOf(() => strict.write({ ...all, aud: [] })).message).toContain('"aud"')
  })
})

describe('tolerant', () => {
  it.each([
    [`${draft}/sse/event-type/verification`, Verification.uri],
    [`${draft}/sse/event-type/stream-updated`, StreamUpdated.uri],
    [`${draft}/risc/event-type/verification`, Verification.uri],
    [`${draft}/caep/event-type/token-claims-changed`, TokenClaimsChange.uri],
  ])('COMPAT-1-4: reads the draft name %s', (name, final) => {
    const set = read({ sub_id: opaque('s'), events: { [name]: { state: 'x' } } })
    expect(set.events[0]).toMatchObject({ type: final, payload: { state: 'x' } })
    expect(names(set)).toEqual(['draft-event-name'])
  })

  it('COMPAT-1-5: takes the subject from the event where there is no "sub_id"', () => {
    const set = read({ sub_id: undefined, ...inEvent({ subject: alice, more: 1 }) })
    expect(set.events[0]).toMatchObject({ subject: alice, payload: { more: 1 } })
    expect(set.events[0].payload).not.toHaveProperty('subject')
    expect(names(set)).toEqual(['subject-in-event'])
  })

  it('COMPAT-1-5: where both are there and differ, "sub_id" counts, and it says so', () => {
    expect(names(read(inEvent({ subject: issSub('https://idp.example', 'alice') })))).toEqual([])
    const set = read(inEvent({ subject: issSub('https://idp.example', 'bob') }))
    expect(set.events[0].subject).toEqual(alice)
    expect(names(set)).toEqual(['two-subjects'])
  })

  it.each([
    [{ subject_type: 'iss-sub', iss: 'i', sub: 's' }, issSub('i', 's')],
    [{ format: 'iss-sub', iss: 'i', sub: 's' }, issSub('i', 's')],
    [
      { format: 'jwt-id', iss: 'i', jti: 'j' },
      { format: 'jwt_id', iss: 'i', jti: 'j' },
    ],
    [
      { format: 'saml-assertion-id', issuer: 'i', assertion_id: 'a' },
      { format: 'saml_assertion_id', issuer: 'i', assertion_id: 'a' },
    ],
    [
      { subject_type: 'phone', phone: '+1 206 555-0100' },
      { format: 'phone_number', phone_number: '+12065550100' },
    ],
    [
      { format: 'phone', phone_number: '+12065550100' },
      { format: 'phone_number', phone_number: '+12065550100' },
    ],
    [
      { format: 'ips', ips: ['192.0.2.1'] },
      { format: 'ip-addresses', 'ip-addresses': ['192.0.2.1'] },
    ],
    [{ subject_type: 'id_token_claims', email: 'a@b.example' }, email('a@b.example')],
    [
      { subject_type: 'id_token_claims', iss: 'i', sub: 's', email: 'a@b.example' },
      { format: 'aliases', identifiers: [issSub('i', 's'), email('a@b.example')] },
    ],
  ])('COMPAT-1-6: reads the draft subject %j', (sub_id, expected) => {
    expect(read({ sub_id }).events[0].subject).toEqual(expected)
    expect(read({ sub_id }).notices.length).toBeGreaterThan(0)
    const old = read({ sub_id: undefined, ...inEvent({ subject: sub_id }) })
    expect(old.events[0].subject).toEqual(expected)
    expect(read({ sub_id: { format: 'complex', user: sub_id } }).events[0].subject).toEqual(
      complex({ user: expected }),
    )
  })

  it('COMPAT-1-7: reads a complex subject without "format"', () => {
    const set = read({ sub_id: { user: alice, device: { subject_type: 'opaque', id: 'd' } } })
    expect(set.events[0].subject).toEqual(complex({ user: alice, device: opaque('d') }))
    expect(names(set)).toEqual(['subject-type', 'complex-without-format'])
  })

  it('COMPAT-1-9: reads a reason without a language as one of "und"', () => {
    const set = read(inEvent({ reason_admin: 'why', reason_user: { en: 'why' } }))
    expect(set.events[0].payload).toEqual({
      reason_admin: { und: 'why' },
      reason_user: { en: 'why' },
    })
    expect(checkPayload(SessionRevoked, set.events[0].payload)).toBeDefined()
  })

  it('COMPAT-1-10: reads a single "amr", a numeric "txn" and both kinds of "aud"', () => {
    const events = { [SessionEstablished.uri]: { amr: 'pwd' } }
    const set = read({ events, txn: 8_675_309, aud: ['a', 'b'] })
    expect(set.events[0]).toMatchObject({
      txn: '8675309',
      aud: ['a', 'b'],
      payload: { amr: ['pwd'] },
    })
    expect(names(set)).toEqual(['numeric-txn', 'single-amr'])
    expect(read({ aud: 'a' }).events[0].aud).toEqual(['a'])
  })

  it('COMPAT-1-11: reads an assurance level of the first draft', () => {
    const payload = { current_level: 'nist-aal2', previous_level: 'nist-aal1' }
    const set = read({ events: { [AssuranceLevelChange.uri]: payload } })
    expect(checkPayload(AssuranceLevelChange, set.events[0].payload)).toEqual({
      ...payload,
      namespace: 'NIST-AAL',
    })
    const other = read({ events: { [AssuranceLevelChange.uri]: { current_level: 'gold' } } })
    expect(other.events[0].payload).toEqual({ current_level: 'gold' })
  })

  it('COMPAT-1-12: takes "ips" of a session event for a member it does not know', () => {
    const events = { [SessionEstablished.uri]: { ips: ['192.0.2.1'] } }
    const set = read({ events })
    expect(checkPayload(SessionEstablished, set.events[0].payload)).toEqual({ ips: ['192.0.2.1'] })
    expect(set.notices).toEqual([])
  })

  it('takes the stream for the subject of an event about it, where its peer names none', () => {
    const old = claims({ sub_id: undefined, events: { [Verification.uri]: { state: 's' } } })
    const set = tolerant.read(old, { streamId: 'stream-1' })
    expect(set.events[0].subject).toEqual(opaque('stream-1'))
    expect(names(set)).toEqual(['stream-without-subject'])
    expect(setErrorOf(() => tolerant.read(old)).code).toBe('ERR_SET_SUBJECT')
    const revoked = claims({ sub_id: undefined })
    expect(setErrorOf(() => tolerant.read(revoked, { streamId: 's' })).code).toBe('ERR_SET_SUBJECT')
  })

  it('reads several events of any family, each for itself', () => {
    const events = { [SessionRevoked.uri]: {}, 'https://schemas.example/own': { a: 1 } }
    const set = read({ events })
    expect(set.events.map(({ type }) => type)).toEqual(Object.keys(events))
    expect(names(set)).toEqual(['several-events'])
  })

  it('writes the form of 1.0', () => {
    const all = claims() as unknown as SetClaims
    expect(tolerant.write(all)).toEqual(all)
  })
})

describe('caep-interop', () => {
  const good = claims(inEvent({ reason_admin: { en: 'Account closed' } })) as unknown as SetClaims
  const refusal = (changes: Readonly<Record<string, unknown>>): string =>
    setErrorOf(() => caepInterop.write({ ...good, ...changes })).message

  it('CIOP-2.6-1: names RS256 alone', () => {
    expect(caepInterop.algorithms).toEqual(['RS256'])
  })

  it('CIOP-2.8.1-1: writes one event, of the SCIM family too', () => {
    expect(caepInterop.write(good)).toBe(good)
    const events = {
      'urn:ietf:params:scim:event:feed:add': {},
      'urn:ietf:params:scim:event:prov:activate': {},
    }
    expect(refusal({ events })).toContain('"events" must have one member')
  })

  it('CIOP-2.5-1: names a user by "email" or "iss_sub"', () => {
    expect(caepInterop.write({ ...good, sub_id: email('a@b.example') })).toBeDefined()
    const both = complex({ user: alice, session: opaque('s') })
    expect(caepInterop.write({ ...good, sub_id: both })).toBeDefined()
    for (const sub_id of [
      opaque('x'),
      complex({ user: opaque('x') }),
      complex({ device: alice }),
    ]) {
      expect(refusal({ sub_id })).toContain('"sub_id" must name its user')
    }
    const events = { [Verification.uri]: {} }
    expect(caepInterop.write({ ...good, sub_id: opaque('s'), events })).toBeDefined()
  })

  it('CIOP-3.1-2 CIOP-3.2-4: says why, in one language at least', () => {
    for (const payload of [{}, { reason_admin: {} }, { reason_admin: { en: ' ' } }]) {
      expect(refusal(inEvent(payload))).toContain('"reason_admin" must say why')
    }
  })

  it('writes no member that the type does not describe', () => {
    const reason_admin = { en: 'x' }
    expect(refusal(inEvent({ reason_admin, own: 1 }))).toContain('members of its type alone')
    expect(
      caepInterop.write({ ...good, ...inEvent({ reason_admin, event_timestamp: 7 }) }),
    ).toBeDefined()
  })
})

describe('createProfile', () => {
  it('SUBID-3-4: lets no format of its own have rules for "format"', () => {
    const members = { format: () => undefined }
    const error = thrownBy(() =>
      createProfile({ name: 'own', identifierFormats: { 'x-badge': { members } } }),
    )
    expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
    expect(String(error)).toContain('"identifierFormats.x-badge" must say nothing about "format"')
  })

  it('SSF-3.4-2: judges a format that both sides agreed on, reading and writing', () => {
    const members = {
      number: (value: unknown) => (value === 7 ? undefined : 'must be the number 7'),
    }
    const profile = createProfile({ name: 'own', identifierFormats: { 'x-badge': { members } } })
    const all = claims({ sub_id: { format: 'x-badge', number: 7 } })
    expect(profile.read(all).events[0].subject).toEqual({ format: 'x-badge', number: 7 })
    expect(
      setErrorOf(() => profile.read(claims({ sub_id: { format: 'x-badge' } }))).message,
    ).toContain('must be the number 7')
    const extra = { ...all, sub_id: { format: 'x-badge', number: 7, more: 1 } }
    expect(setErrorOf(() => profile.write(extra as unknown as SetClaims)).message).toContain(
      'does not describe',
    )
    expect(profile.tolerates).toEqual({ untypedSets: false, anyMediaType: false })
  })
})
