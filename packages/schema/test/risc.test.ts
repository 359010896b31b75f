import { describe, expect, it } from '@jest/globals'
import { checkPayload, email, phoneNumber } from '@drawbridge/schema'
import { CredentialChange } from '@drawbridge/schema/caep'
import {
  AccountCredentialChangeRequired,
  AccountDisabled,
  AccountEnabled,
  AccountPurged,
  CredentialCompromise,
  IdentifierChanged,
  IdentifierRecycled,
  OptIn,
  OptOutCancelled,
  OptOutEffective,
  OptOutInitiated,
  RecoveryActivated,
  RecoveryInformationChanged,
  riscEventTypes,
  SessionsRevoked,
} from '@drawbridge/schema/risc'
import { eventOf, issuesOf } from './event-types-samples.ts'

const prefix = 'https://schemas.openid.net/secevent/risc/event-type/'

describe('the URIs of RISC', () => {
  it('RISC-2-1: all begin alike', () => {
    for (const { uri, name } of riscEventTypes) expect(uri).toBe(prefix + name)
  })

  it.each([
    ['RISC-2.1-1', AccountCredentialChangeRequired, 'account-credential-change-required'],
    ['RISC-2.2-1', AccountPurged, 'account-purged'],
    ['RISC-2.3-1', AccountDisabled, 'account-disabled'],
    ['RISC-2.4-1', AccountEnabled, 'account-enabled'],
    ['RISC-2.5-1', IdentifierChanged, 'identifier-changed'],
    ['RISC-2.6-1', IdentifierRecycled, 'identifier-recycled'],
    ['RISC-2.7-1', CredentialCompromise, 'credential-compromise'],
    ['RISC-2.8.1-1', OptIn, 'opt-in'],
    ['RISC-2.8.2-1', OptOutInitiated, 'opt-out-initiated'],
    ['RISC-2.8.3-1', OptOutCancelled, 'opt-out-cancelled'],
    ['RISC-2.8.4-1', OptOutEffective, 'opt-out-effective'],
    ['RISC-2.9-1', RecoveryActivated, 'recovery-activated'],
    ['RISC-2.10-1', RecoveryInformationChanged, 'recovery-information-changed'],
    ['RISC-2.11-1', SessionsRevoked, 'sessions-revoked'],
  ] as const)('%s: the URI of %j', (_id, type, suffix) => {
    expect(type.uri).toBe(prefix + suffix)
    expect(type.name).toBe(suffix)
  })
})

describe('types without attributes', () => {
  it.each([
    ['RISC-2.1-2', AccountCredentialChangeRequired],
    ['RISC-2.2-2', AccountPurged],
    ['RISC-2.4-2', AccountEnabled],
    ['RISC-2.6-3', IdentifierRecycled],
    ['RISC-2.8.1-1', OptIn],
    ['RISC-2.8.2-1', OptOutInitiated],
    ['RISC-2.8.3-1', OptOutCancelled],
    ['RISC-2.8.4-1', OptOutEffective],
    ['RISC-2.9-1', RecoveryActivated],
    ['RISC-2.10-1', RecoveryInformationChanged],
    ['RISC-2.11-1', SessionsRevoked],
  ] as const)('%s, SSF-4.2.3-2: %j is "{}", and unknown members are ignored', (_id, type) => {
    expect(type.members).toEqual([])
    expect(issuesOf(type, {})).toEqual([])
    const payload = { reason: 7, x_of_our_own: ['x'] }
    expect(checkPayload(type, payload)).toBe(payload)
    expect(issuesOf(type, null)).toHaveLength(1)
  })
})

describe('AccountDisabled', () => {
  it('RISC-2.3-2: "reason" is an optional string and open', () => {
    for (const reason of ['hijacking', 'bulk-account', 'other']) {
      expect(issuesOf(AccountDisabled, { reason })).toEqual([])
    }
    expect(issuesOf(AccountDisabled, {})).toEqual([])
    expect(issuesOf(AccountDisabled, { reason: 7 })).toEqual(['"reason" must be string'])
  })
})

describe('IdentifierChanged and IdentifierRecycled', () => {
  it('RISC-2.5-2 RISC-2.6-2: the subject is an e-mail address or a phone number', () => {
    const [mail, phone] = [email('john.doe@example.com'), phoneNumber('+12065550100')]
    for (const { subjects } of [IdentifierChanged, IdentifierRecycled]) {
      expect(subjects.formats).toEqual([mail.format, phone.format])
    }
  })

  it('RISC-2.5-3: the subject has the old value', () => {
    const old = email('john.doe@example.com')
    const payload = { 'new-value': 'john.roe@example.com' }
    const event = eventOf(IdentifierChanged, payload, { sub_id: old })
    expect(event.subject).toEqual(old)
    expect(checkPayload(IdentifierChanged, event.payload)['new-value']).toBe('john.roe@example.com')
  })

  it('RISC-2.5-4: "new-value" is an optional string, with a hyphen', () => {
    expect(issuesOf(IdentifierChanged, {})).toEqual([])
    expect(issuesOf(IdentifierChanged, { 'new-value': 7 })).toEqual(['"new-value" must be string'])
    expect(issuesOf(IdentifierChanged, { new_value: 7 })).toEqual([])
  })
})

describe('CredentialCompromise', () => {
  const minimal = { credential_type: 'password' }

  it('RISC-2.7-2: "credential_type" is required, and as open as that of CredentialChange', () => {
    expect(issuesOf(CredentialCompromise, {})).toEqual(['"credential_type" is missing'])
    for (const credential_type of ['password', 'pin', 'fido2-roaming', 'ALL_FACTORS']) {
      expect(issuesOf(CredentialCompromise, { credential_type })).toEqual([])
      expect(issuesOf(CredentialChange, { credential_type, change_type: 'update' })).toEqual([])
    }
    expect(issuesOf(CredentialCompromise, { credential_type: null })).toHaveLength(1)
  })

  it('RISC-2.7-3: "event_timestamp" is an optional number, when it was discovered', () => {
    const payload = { ...minimal, event_timestamp: 1_749_999_000 }
    const event = eventOf(CredentialCompromise, payload)
    expect(event.time).toBe(1_749_999_000)
    expect(issuesOf(CredentialCompromise, payload)).toEqual([])
    expect(issuesOf(CredentialCompromise, { ...minimal, event_timestamp: '1' })).toHaveLength(1)
  })

  it.each([
    ['RISC-2.7-4', 'reason_admin'],
    ['RISC-2.7-5', 'reason_user'],
  ])('%s: "%s" maps a language to a text', (_id, member) => {
    expect(issuesOf(CredentialCompromise, { ...minimal, [member]: { en: 'x' } })).toEqual([])
    for (const value of [{}, 'found', { en: 7 }]) {
      const [issue] = issuesOf(CredentialCompromise, { ...minimal, [member]: value })
      expect(issue).toContain(`"${member}" must`)
    }
  })
})
