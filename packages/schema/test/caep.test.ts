import { describe, expect, it } from '@jest/globals'
import {
  AssuranceLevelChange,
  caepEventTypes,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionEstablished,
  SessionPresented,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { caepSamples, eventOf, issuesOf, sampleOf, without } from './event-types-samples.ts'

const prefix = 'https://schemas.openid.net/secevent/caep/event-type/'

describe('the URIs of CAEP', () => {
  it('CAEP-3-1: all begin alike', () => {
    for (const { uri, name } of caepEventTypes) expect(uri).toBe(prefix + name)
  })

  it.each([
    ['CAEP-3.1-1', SessionRevoked, 'session-revoked'],
    ['CAEP-3.2-1', TokenClaimsChange, 'token-claims-change'],
    ['CAEP-3.3-1', CredentialChange, 'credential-change'],
    ['CAEP-3.4-1', AssuranceLevelChange, 'assurance-level-change'],
    ['CAEP-3.5-1', DeviceComplianceChange, 'device-compliance-change'],
    ['CAEP-3.6-1', SessionEstablished, 'session-established'],
    ['CAEP-3.7-1', SessionPresented, 'session-presented'],
    ['CAEP-3.8-1', RiskLevelChange, 'risk-level-change'],
  ] as const)('%s: the URI of %j', (_id, type, suffix) => {
    expect(type.uri).toBe(prefix + suffix)
    expect(type.name).toBe(suffix)
  })
})

describe('the claims that every CAEP event may have', () => {
  it.each(caepSamples)('CAEP-2-8: $name needs none of them', ({ type, minimal }) => {
    expect(issuesOf(type, minimal)).toEqual([])
  })

  it.each(caepSamples)('CAEP-2-1: $name, "event_timestamp" is a number', ({ type, minimal }) => {
    for (const stamp of [0, 1_750_000_000, 1_750_000_000.5, 1_750_000_000_000]) {
      expect(issuesOf(type, { ...minimal, event_timestamp: stamp })).toEqual([])
    }
    for (const stamp of ['1750000000', null, {}, Number.NaN, -1]) {
      const [issue] = issuesOf(type, { ...minimal, event_timestamp: stamp })
      expect(issue).toContain('"event_timestamp" must be')
    }
  })

  it.each(caepSamples)(
    'CAEP-2-2 CAEP-2-3: $name, "initiating_entity" is one of four',
    ({ type, minimal }) => {
      for (const entity of ['admin', 'user', 'policy', 'system']) {
        expect(issuesOf(type, { ...minimal, initiating_entity: entity })).toEqual([])
      }
      for (const entity of ['', 'Admin', 'robot', 7, null]) {
        expect(issuesOf(type, { ...minimal, initiating_entity: entity }).at(-1)).toBe(
          '"initiating_entity" must be equal to one of the allowed values: admin, user, policy, system',
        )
      }
    },
  )

  it.each([
    ['CAEP-2-4 CAEP-2-5', 'reason_admin'],
    ['CAEP-2-6 CAEP-2-7', 'reason_user'],
  ])('%s: "%s" maps a language to a text', (_id, member) => {
    for (const { type, minimal } of caepSamples) {
      expect(issuesOf(type, { ...minimal, [member]: { en: 'x', 'es-410': 'y' } })).toEqual([])
      for (const value of [{}, 'Account closed', null, [], { en: 7 }, { en: 'x', de: null }]) {
        expect(issuesOf(type, { ...minimal, [member]: value })[0]).toContain(`"${member}" must`)
      }
    }
  })

  it.each([
    ['CAEP-3.1-5', SessionRevoked],
    ['CAEP-3.2-4', TokenClaimsChange],
    ['CAEP-3.3-9', CredentialChange],
    ['CAEP-3.4-11', AssuranceLevelChange],
    ['CAEP-3.5-5', DeviceComplianceChange],
    ['CAEP-3.6-2', SessionEstablished],
    ['CAEP-3.7-2', SessionPresented],
    ['CAEP-3.8-2', RiskLevelChange],
  ] as const)('%s: "event_timestamp" is the time of the event itself', (_id, type) => {
    const payload = { ...sampleOf(type).minimal, event_timestamp: 1_749_999_000 }
    const event = eventOf(type, payload, { iat: 1_750_000_000 })
    expect(event.time).toBe(1_749_999_000)
    expect(issuesOf(type, event.payload)).toEqual([])
  })
})

describe('SessionRevoked', () => {
  it('CAEP-3.1-4 CAEP-3.1-6: has no claims of its own, and says why', () => {
    expect(issuesOf(SessionRevoked, { reason_admin: { en: 'Account closed' } })).toEqual([])
    expect(SessionRevoked.members).toEqual([
      'event_timestamp',
      'initiating_entity',
      'reason_admin',
      'reason_user',
    ])
  })
})

describe('TokenClaimsChange', () => {
  it('CAEP-3.2-3: "claims" is required and has one claim or more, of any JSON type', () => {
    const saml = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/role'
    for (const value of ['ro-admin', 7, null, ['a'], { b: {} }, false]) {
      expect(issuesOf(TokenClaimsChange, { claims: { role: value, [saml]: value } })).toEqual([])
    }
    expect(issuesOf(TokenClaimsChange, {})).toEqual(['"claims" is missing'])
    for (const value of [{}, [], 'role', null]) {
      expect(issuesOf(TokenClaimsChange, { claims: value })[0]).toContain('"claims" must')
    }
  })
})

describe('CredentialChange', () => {
  const { minimal } = sampleOf(CredentialChange)

  it('CAEP-3.3-3: "credential_type" is required and open', () => {
    expect(issuesOf(CredentialChange, without(minimal, 'credential_type'))).toEqual([
      '"credential_type" is missing',
    ])
    for (const kind of ['password', 'fido2-platform', 'app', 'ALL_FACTORS']) {
      expect(issuesOf(CredentialChange, { ...minimal, credential_type: kind })).toEqual([])
    }
    expect(issuesOf(CredentialChange, { ...minimal, credential_type: 7 })).toEqual([
      '"credential_type" must be string',
    ])
  })

  it('CAEP-3.3-4: "change_type" is required and closed', () => {
    expect(issuesOf(CredentialChange, without(minimal, 'change_type'))).toEqual([
      '"change_type" is missing',
    ])
    for (const change of ['create', 'revoke', 'update', 'delete']) {
      expect(issuesOf(CredentialChange, { ...minimal, change_type: change })).toEqual([])
    }
    expect(issuesOf(CredentialChange, { ...minimal, change_type: 'rotate' })).toHaveLength(1)
  })
})

describe('optional strings', () => {
  it.each([
    ['CAEP-3.3-5', CredentialChange, 'friendly_name'],
    ['CAEP-3.3-6', CredentialChange, 'x509_issuer'],
    ['CAEP-3.3-7', CredentialChange, 'x509_serial'],
    ['CAEP-3.3-8', CredentialChange, 'fido2_aaguid'],
    ['CAEP-3.4-6', AssuranceLevelChange, 'previous_level'],
    ['CAEP-3.6-3', SessionEstablished, 'fp_ua'],
    ['CAEP-3.6-4', SessionEstablished, 'acr'],
    ['CAEP-3.6-8', SessionEstablished, 'ext_id'],
    ['CAEP-3.7-3', SessionPresented, 'fp_ua'],
    ['CAEP-3.7-4', SessionPresented, 'ext_id'],
    ['CAEP-3.8-3', RiskLevelChange, 'risk_reason'],
  ] as const)('%s: %j may say "%s"', (_id, type, member) => {
    const { minimal } = sampleOf(type)
    expect(issuesOf(type, without(minimal, member))).toEqual([])
    expect(issuesOf(type, { ...minimal, [member]: 'x' })).toEqual([])
    expect(issuesOf(type, { ...minimal, [member]: 7 })).toEqual([`"${member}" must be string`])
  })
})

describe('AssuranceLevelChange', () => {
  const { minimal } = sampleOf(AssuranceLevelChange)

  it('CAEP-3.4-3 CAEP-3.4-4: "namespace" is required and open', () => {
    expect(issuesOf(AssuranceLevelChange, without(minimal, 'namespace'))).toEqual([
      '"namespace" is missing',
    ])
    for (const namespace of ['RFC8176', 'ISO-IEC-29115', 'NIST-FAL', 'our-own']) {
      expect(issuesOf(AssuranceLevelChange, { ...minimal, namespace })).toEqual([])
    }
  })

  it('CAEP-3.4-5: "current_level" is required, a word of the namespace', () => {
    expect(issuesOf(AssuranceLevelChange, without(minimal, 'current_level'))).toEqual([
      '"current_level" is missing',
    ])
    expect(issuesOf(AssuranceLevelChange, { ...minimal, current_level: 2 })).toHaveLength(1)
  })

  it('CAEP-3.4-8 CAEP-3.4-10: "change_direction" is optional and one of two', () => {
    for (const change_direction of ['increase', 'decrease']) {
      expect(issuesOf(AssuranceLevelChange, { ...minimal, change_direction })).toEqual([])
    }
    for (const change_direction of ['same', '', null]) {
      expect(issuesOf(AssuranceLevelChange, { ...minimal, change_direction })).not.toEqual([])
    }
  })
})

describe('DeviceComplianceChange', () => {
  it.each([
    ['CAEP-3.5-3', 'previous_status'],
    ['CAEP-3.5-4', 'current_status'],
  ])('%s: "%s" is required and one of two', (_id, member) => {
    const others = without(sampleOf(DeviceComplianceChange).minimal, member)
    expect(issuesOf(DeviceComplianceChange, others)).toEqual([`"${member}" is missing`])
    for (const status of ['compliant', 'not-compliant']) {
      expect(issuesOf(DeviceComplianceChange, { ...others, [member]: status })).toEqual([])
    }
    for (const status of ['unknown', '', 7, null]) {
      expect(issuesOf(DeviceComplianceChange, { ...others, [member]: status })).not.toEqual([])
    }
  })
})

describe('SessionEstablished', () => {
  it('CAEP-3.6-6 CAEP-3.6-7: "amr" is optional, an array of strings and no bare string', () => {
    for (const amr of [[], ['pwd'], ['pwd', 'otp']]) {
      expect(issuesOf(SessionEstablished, { amr })).toEqual([])
    }
    for (const amr of ['pwd', [7], ['pwd', null], {}]) {
      expect(issuesOf(SessionEstablished, { amr })[0]).toContain('"amr" must be')
    }
  })
})

describe('RiskLevelChange', () => {
  const { minimal } = sampleOf(RiskLevelChange)

  it('CAEP-3.8-4: "principal" is required and open', () => {
    expect(issuesOf(RiskLevelChange, without(minimal, 'principal'))).toEqual([
      '"principal" is missing',
    ])
    for (const principal of ['USER', 'ORG_UNIT', 'APPLICATION']) {
      expect(issuesOf(RiskLevelChange, { ...minimal, principal })).toEqual([])
    }
  })

  it('CAEP-3.8-5: "current_level" is required and closed', () => {
    expect(issuesOf(RiskLevelChange, without(minimal, 'current_level'))).toEqual([
      '"current_level" is missing',
    ])
    for (const current_level of ['high', 'CRITICAL', '']) {
      expect(issuesOf(RiskLevelChange, { ...minimal, current_level })).toHaveLength(1)
    }
  })

  it('CAEP-3.8-6 CAEP-3.8-7: "previous_level" is optional and closed', () => {
    for (const previous_level of ['LOW', 'MEDIUM', 'HIGH']) {
      expect(issuesOf(RiskLevelChange, { ...minimal, previous_level })).toEqual([])
    }
    expect(issuesOf(RiskLevelChange, { ...minimal, previous_level: 'low' })).toHaveLength(1)
  })
})
