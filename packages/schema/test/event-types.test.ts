import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { accessMeaning, checkPayload, type EventType } from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { setErrorOf } from './support.ts'

const issuesOf = (type: EventType, payload: unknown): string[] =>
  (type.validate(payload).issues ?? []).map(({ message }) => message)

const caep: readonly (readonly [EventType, Record<string, unknown>])[] = [
  [SessionRevoked, {}],
  [CredentialChange, { credential_type: 'password', change_type: 'update' }],
  [DeviceComplianceChange, { previous_status: 'compliant', current_status: 'not-compliant' }],
]
const all = [...caep, [Verification, {}] as const, [StreamUpdated, { status: 'enabled' }] as const]

describe('every event type', () => {
  it.each(all)('$name takes an object only', (type, payload) => {
    expect(issuesOf(type, payload)).toEqual([])
    for (const value of [null, undefined, [], 'x', 7, true]) {
      expect(issuesOf(type, value)).toEqual(['the payload must be object'])
    }
  })

  it.each(all)('SSF-4.2.3-2: $name has no issue with members nobody knows', (type, payload) => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(issuesOf(type, { ...payload, x_of_our_own: value })).toEqual([])
      }),
      { numRuns: 20 },
    )
  })

  it.each(all)('$name never throws, whatever it is given', (type) => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const result = type.validate(JSON.parse(text))
        expect('issues' in result || 'value' in result).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('checkPayload names the type and every member that does not fit', () => {
    const error = setErrorOf(() => checkPayload(CredentialChange, { change_type: 'lost' }))
    expect(error).toMatchObject({ code: 'ERR_SET_PAYLOAD', err: 'invalid_request' })
    expect(error.message).toBe(
      'the payload of "credential-change" does not fit its definition: "credential_type" is missing; ' +
        '"change_type" must be equal to one of the allowed values: create, revoke, update, delete',
    )
    const payload = {}
    expect(checkPayload(SessionRevoked, payload)).toBe(payload)
  })
})

describe('the claims that every CAEP event may have', () => {
  it.each(caep)('CAEP-2-8: $name needs none of them', (type, payload) => {
    expect(issuesOf(type, payload)).toEqual([])
  })

  it.each(caep)('CAEP-2-1: $name, "event_timestamp" is a number', (type, payload) => {
    for (const stamp of [0, 1_750_000_000, 1_750_000_000.5, 1_750_000_000_000]) {
      expect(issuesOf(type, { ...payload, event_timestamp: stamp })).toEqual([])
    }
    for (const stamp of ['1750000000', null, {}, Number.NaN, -1]) {
      const [issue] = issuesOf(type, { ...payload, event_timestamp: stamp })
      expect(issue).toContain('"event_timestamp" must be')
    }
  })

  it.each(caep)('CAEP-2-2 CAEP-2-3: $name, "initiating_entity" is one of four', (type, payload) => {
    for (const entity of ['admin', 'user', 'policy', 'system']) {
      expect(issuesOf(type, { ...payload, initiating_entity: entity })).toEqual([])
    }
    for (const entity of ['', 'Admin', 'robot', 7, null]) {
      expect(issuesOf(type, { ...payload, initiating_entity: entity }).at(-1)).toBe(
        '"initiating_entity" must be equal to one of the allowed values: admin, user, policy, system',
      )
    }
  })

  it.each([
    ['CAEP-2-4 CAEP-2-5', 'reason_admin'],
    ['CAEP-2-6 CAEP-2-7', 'reason_user'],
  ])('%s: "%s" maps a language to a text', (_id, member) => {
    for (const [type, payload] of caep) {
      expect(issuesOf(type, { ...payload, [member]: { en: 'x', 'es-410': 'y' } })).toEqual([])
      for (const value of [{}, 'Account closed', null, [], { en: 7 }, { en: 'x', de: null }]) {
        expect(issuesOf(type, { ...payload, [member]: value })[0]).toContain(`"${member}" must`)
      }
    }
  })
})

describe('SessionRevoked', () => {
  it('CAEP-3.1-1: has its URI', () => {
    expect(SessionRevoked.uri).toBe(
      'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
    )
    expect(SessionRevoked.name).toBe('session-revoked')
  })

  it('CAEP-3.1-4 CAEP-3.1-6: has no claims of its own, and says why', () => {
    expect(issuesOf(SessionRevoked, { reason_admin: { en: 'Account closed' } })).toEqual([])
  })
})

describe('CredentialChange', () => {
  const [, [, payload]] = caep as [unknown, [EventType, Record<string, unknown>]]

  it('CAEP-3.3-1: has its URI', () => {
    expect(CredentialChange.uri).toBe(
      'https://schemas.openid.net/secevent/caep/event-type/credential-change',
    )
  })

  it('CAEP-3.3-3: "credential_type" is required and open', () => {
    const { credential_type: _, ...without } = payload
    expect(issuesOf(CredentialChange, without)).toEqual(['"credential_type" is missing'])
    for (const kind of ['password', 'fido2-platform', 'app', 'ALL_FACTORS']) {
      expect(issuesOf(CredentialChange, { ...payload, credential_type: kind })).toEqual([])
    }
    expect(issuesOf(CredentialChange, { ...payload, credential_type: 7 })).toEqual([
      '"credential_type" must be string',
    ])
  })

  it('CAEP-3.3-4: "change_type" is required and closed', () => {
    const { change_type: _, ...without } = payload
    expect(issuesOf(CredentialChange, without)).toEqual(['"change_type" is missing'])
    for (const change of ['create', 'revoke', 'update', 'delete']) {
      expect(issuesOf(CredentialChange, { ...payload, change_type: change })).toEqual([])
    }
    expect(issuesOf(CredentialChange, { ...payload, change_type: 'rotate' })).toHaveLength(1)
  })

  it.each([
    ['CAEP-3.3-5', 'friendly_name'],
    ['CAEP-3.3-6', 'x509_issuer'],
    ['CAEP-3.3-7', 'x509_serial'],
    ['CAEP-3.3-8', 'fido2_aaguid'],
  ])('%s: "%s" is an optional string', (_id, member) => {
    expect(issuesOf(CredentialChange, { ...payload, [member]: 'x' })).toEqual([])
    expect(issuesOf(CredentialChange, { ...payload, [member]: 7 })).toEqual([
      `"${member}" must be string`,
    ])
  })
})

describe('DeviceComplianceChange', () => {
  it('CAEP-3.5-1: has its URI', () => {
    expect(DeviceComplianceChange.uri).toBe(
      'https://schemas.openid.net/secevent/caep/event-type/device-compliance-change',
    )
  })

  it.each([
    ['CAEP-3.5-3', 'previous_status'],
    ['CAEP-3.5-4', 'current_status'],
  ])('%s: "%s" is required and one of two', (_id, member) => {
    const payload: Record<string, string> = {
      previous_status: 'compliant',
      current_status: 'compliant',
    }
    const others = Object.fromEntries(Object.entries(payload).filter(([name]) => name !== member))
    expect(issuesOf(DeviceComplianceChange, others)).toEqual([`"${member}" is missing`])
    for (const status of ['compliant', 'not-compliant']) {
      expect(issuesOf(DeviceComplianceChange, { ...others, [member]: status })).toEqual([])
    }
    for (const status of ['unknown', '', 7, null]) {
      expect(issuesOf(DeviceComplianceChange, { ...others, [member]: status })).not.toEqual([])
    }
  })
})

describe('Verification', () => {
  it('SSF-8.1.4.1-1: has its URI', () => {
    expect(Verification.uri).toBe('https://schemas.openid.net/secevent/ssf/event-type/verification')
  })

  it('SSF-8.1.4.1-2: "state" is an optional string', () => {
    expect(issuesOf(Verification, {})).toEqual([])
    expect(issuesOf(Verification, { state: '' })).toEqual([])
    expect(issuesOf(Verification, { state: 7 })).toEqual(['"state" must be string'])
  })
})

describe('StreamUpdated', () => {
  it('SSF-8.1.5-1: has its URI', () => {
    expect(StreamUpdated.uri).toBe(
      'https://schemas.openid.net/secevent/ssf/event-type/stream-updated',
    )
  })

  it('SSF-8.1.5-5: "status" is required, "reason" is not', () => {
    for (const status of ['enabled', 'paused', 'disabled']) {
      expect(issuesOf(StreamUpdated, { status })).toEqual([])
      expect(issuesOf(StreamUpdated, { status, reason: 'licence' })).toEqual([])
    }
    expect(issuesOf(StreamUpdated, {})).toEqual(['"status" is missing'])
    expect(issuesOf(StreamUpdated, { status: 'gone' })).toHaveLength(1)
    expect(issuesOf(StreamUpdated, { status: 'paused', reason: 7 })).toEqual([
      '"reason" must be string',
    ])
  })
})

describe('accessMeaning', () => {
  const of = (type: EventType, payload: object) => accessMeaning({ type: type.uri, payload })

  it('CAEP-3.1-2: a revoked session ends', () => {
    expect(of(SessionRevoked, {})).toEqual({
      decision: 'cut',
      endsSessions: true,
      cause: 'session-revoked',
    })
  })

  it('CAEP-3.3-2: a credential that changed is a reason to ask again, a new one is none', () => {
    for (const change_type of ['revoke', 'update', 'delete']) {
      expect(of(CredentialChange, { change_type })).toMatchObject({
        decision: 'cut',
        endsSessions: false,
      })
    }
    expect(of(CredentialChange, { change_type: 'create' }).decision).toBe('nothing')
  })

  it('CAEP-3.5-2: a device is a condition until it complies again, by one cause', () => {
    const fallen = of(DeviceComplianceChange, { current_status: 'not-compliant' })
    const complies = of(DeviceComplianceChange, { current_status: 'compliant' })
    expect(fallen.decision).toBe('condition')
    expect(complies.decision).toBe('lift')
    expect(fallen.cause).toBe(complies.cause)
    expect([fallen.endsSessions, complies.endsSessions]).toEqual([false, false])
  })

  it('SSF-4.1.5-1: what is not in the table takes nothing', () => {
    for (const type of [Verification, StreamUpdated]) {
      expect(of(type, {}).decision).toBe('nothing')
    }
    expect(accessMeaning({ type: 'https://schemas.example/own', payload: {} })).toEqual({
      decision: 'nothing',
      endsSessions: false,
      cause: 'none',
    })
  })
})
