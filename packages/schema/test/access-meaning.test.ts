import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  accessMeaning,
  accessMeanings,
  endsGrants,
  isFinal,
  type EventType,
} from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionEstablished,
  SessionPresented,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import * as risc from '@drawbridge/schema/risc'
import * as scim from '@drawbridge/schema/scim'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { samples } from './event-types-samples.ts'

const of = (type: EventType, payload: object = {}) => accessMeaning({ type: type.uri, payload })
const nothing = { decision: 'nothing', endsSessions: false, cause: 'none', lifts: [] }
const said = (decision: string, cause: string, endsSessions = false) => ({
  decision,
  cause,
  endsSessions,
  lifts: [],
})

describe('accessMeanings', () => {
  it('has a row for every type that is known, and for no other', () => {
    const known = samples.map(({ type }) => type.uri)
    expect([...accessMeanings.keys()].toSorted()).toEqual(known.toSorted())
  })

  it.each([...accessMeanings])(
    '%s: is data, and refers to members that the type has',
    (uri, row) => {
      expect(JSON.parse(JSON.stringify(row))).toEqual(row)
      expect(row.reason).toMatch(/^[A-Z].*\.$/)
      const { members } = samples.find(({ type }) => type.uri === uri)?.type ?? { members: [] }
      const inLifts = (row.lifts ?? []).flatMap((name) => /\{(.*)\}/.exec(name)?.[1] ?? [])
      const decides = typeof row.decision === 'string' ? [] : [row.decision.member]
      const named = [...decides, ...inLifts, ...(row.causeMember ? [row.causeMember] : [])]
      for (const member of named) expect(members).toContain(member)
    },
  )

  it('what is final is a condition that nothing lifts, and what ends grants is a cut', () => {
    const rows = [...accessMeanings.values()]
    const lifted = new Set(
      rows.flatMap(({ decision, cause, lifts = [] }) => [
        ...(JSON.stringify(decision).includes('"lift"') ? [cause] : []),
        ...lifts.map((name) => name.split(':')[0]),
      ]),
    )
    const conditions = rows.filter(({ decision }) =>
      JSON.stringify(decision).includes('"condition"'),
    )
    const unlifted = conditions.filter(({ cause }) => !lifted.has(cause))
    expect(unlifted.map(({ cause }) => [cause, isFinal(cause)])).toEqual([
      // A login brings new claims.
      ['token-claims', false],
      ['account-purged', true],
      ['scim-deleted', true],
    ])
    expect(rows.filter(({ isFinal: final }) => final)).toHaveLength(2)
    const ending = rows.filter(({ cause }) => endsGrants(cause))
    expect(ending).toMatchObject([{ cause: 'tokens-revoked', decision: 'cut', endsGrants: true }])
  })

  it('no cause is lifted that nothing puts in force', () => {
    const conditions = [...accessMeanings.values()]
      .filter(({ decision }) => JSON.stringify(decision).includes('"condition"'))
      .map(({ cause }) => cause)
    for (const { decision, cause, lifts = [] } of accessMeanings.values()) {
      if (decision === 'lift') expect(conditions).toContain(cause)
      for (const name of lifts) expect(conditions).toContain(name.split(':')[0])
    }
  })
})

describe('accessMeaning of CAEP', () => {
  it('CAEP-3.1-2: a revoked session ends', () => {
    expect(of(SessionRevoked)).toEqual(said('cut', 'session-revoked', true))
  })

  it('CAEP-3.2-2: claims that changed are a condition', () => {
    expect(of(TokenClaimsChange)).toEqual(said('condition', 'token-claims'))
  })

  it('CAEP-3.3-2: a credential that changed is a reason to ask again, a new one is none', () => {
    for (const change_type of ['revoke', 'update', 'delete']) {
      expect(of(CredentialChange, { change_type, credential_type: 'pin' })).toEqual({
        decision: 'cut',
        endsSessions: false,
        cause: 'credential-change',
        lifts: ['credential-compromise:pin', 'credential-change-required'],
      })
    }
    expect(of(CredentialChange, { change_type: 'create', credential_type: 'pin' })).toEqual(
      said('nothing', 'credential-change'),
    )
  })

  it('a credential without a type lifts no compromise', () => {
    for (const payload of [{ change_type: 'update' }, { change_type: 'x', credential_type: 7 }]) {
      expect(of(CredentialChange, payload).lifts).toEqual(['credential-change-required'])
    }
  })

  it('CAEP-3.4-2: a level that fell is a condition in its namespace, until it rises', () => {
    const namespace = 'NIST-AAL'
    const cause = 'assurance-level:NIST-AAL'
    const change = (change_direction: string) =>
      of(AssuranceLevelChange, { namespace, change_direction })
    expect(change('decrease')).toEqual(said('condition', cause))
    expect(change('increase')).toEqual(said('lift', cause))
    expect(of(AssuranceLevelChange, { namespace })).toEqual(said('nothing', cause))
  })

  it('CAEP-3.5-2: a device is a condition until it complies again, by one cause', () => {
    const fallen = of(DeviceComplianceChange, { current_status: 'not-compliant' })
    const complies = of(DeviceComplianceChange, { current_status: 'compliant' })
    expect(fallen).toEqual(said('condition', 'device-compliance'))
    expect(complies).toEqual(said('lift', 'device-compliance'))
  })

  it('CAEP-3.6-2 CAEP-3.7-2: a session that is there takes nothing', () => {
    expect(of(SessionEstablished)).toEqual(nothing)
    expect(of(SessionPresented)).toEqual(nothing)
  })

  it('CAEP-3.8-2: a risk is a condition of its principal until it is low', () => {
    const change = (current_level: string) =>
      of(RiskLevelChange, { principal: 'DEVICE', current_level })
    for (const level of ['HIGH', 'MEDIUM', 'constructor', '']) {
      expect(change(level)).toEqual(said('condition', 'risk-level:DEVICE'))
    }
    expect(change('LOW')).toEqual(said('lift', 'risk-level:DEVICE'))
    expect(of(RiskLevelChange, { current_level: 'LOW' }).cause).toBe('risk-level')
  })
})

describe('accessMeaning of RISC', () => {
  it.each([
    ['RISC-2.1-1', risc.AccountCredentialChangeRequired, 'condition', 'credential-change-required'],
    ['RISC-2.4-1', risc.AccountEnabled, 'lift', 'account-disabled'],
    ['RISC-2.7-1', risc.CredentialCompromise, 'condition', 'credential-compromise'],
    ['RISC-2.9-1', risc.RecoveryActivated, 'cut', 'recovery-activated'],
    ['RISC-2.10-1', risc.RecoveryInformationChanged, 'cut', 'recovery-information-changed'],
  ] as const)('%s: %j ends no session', (_id, type, decision, cause) => {
    expect(of(type)).toEqual(said(decision, cause))
  })

  it.each([
    ['RISC-2.2-1', risc.AccountPurged, 'condition', 'account-purged'],
    ['RISC-2.3-1', risc.AccountDisabled, 'condition', 'account-disabled'],
    ['RISC-2.11-1', risc.SessionsRevoked, 'cut', 'sessions-revoked'],
  ] as const)('%s: %j ends sessions', (_id, type, decision, cause) => {
    expect(of(type)).toEqual(said(decision, cause, true))
  })

  it('RISC-2.7-2: a compromise is that of one kind of credential, which its change lifts', () => {
    const { cause } = of(risc.CredentialCompromise, { credential_type: 'x509' })
    expect(cause).toBe('credential-compromise:x509')
    const change = { credential_type: 'x509', change_type: 'revoke' }
    expect(of(CredentialChange, change).lifts).toContain(cause)
  })

  it('RISC-2.6-1: a recycled identifier parts what was said before from what is said after', () => {
    expect(of(risc.IdentifierRecycled)).toMatchObject({ decision: 'boundary', endsSessions: false })
  })

  it.each([
    risc.IdentifierChanged,
    risc.OptIn,
    risc.OptOutInitiated,
    risc.OptOutCancelled,
    risc.OptOutEffective,
  ])('$name takes nothing', (type) => {
    expect(of(type)).toEqual(nothing)
  })
})

describe('accessMeaning of SCIM and SSF', () => {
  it('what was deactivated is a condition until it is activated; what was deleted, for good', () => {
    expect(of(scim.ScimDeactivate)).toEqual(said('condition', 'scim-active', true))
    expect(of(scim.ScimActivate)).toEqual(said('lift', 'scim-active'))
    expect(of(scim.ScimDelete)).toEqual(said('condition', 'scim-deleted', true))
  })

  it('the other types of SCIM take nothing', () => {
    const others = scim.scimEventTypes.filter(({ name }) => !/delete|activate/.test(name))
    expect(others).toHaveLength(9)
    for (const type of others) expect(of(type)).toEqual(nothing)
  })

  it('SSF-4.1.5-1: what is not in the table, or about a stream, takes nothing', () => {
    for (const type of [Verification, StreamUpdated]) expect(of(type)).toEqual(nothing)
    expect(accessMeaning({ type: 'https://schemas.example/own', payload: {} })).toEqual(nothing)
    expect(accessMeaning({ type: '__proto__', payload: {} })).toEqual(nothing)
  })

  it('answers whatever the payload is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.object(), ({ type }, payload) => {
        expect(typeof of(type, payload).cause).toBe('string')
      }),
    )
    const inherited = Object.create({ change_type: 'create' }) as object
    expect(of(CredentialChange, inherited).decision).toBe('cut')
  })
})
