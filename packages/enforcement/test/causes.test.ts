import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { scim, type SecurityEvent, type SubjectInput } from '@drawbridge/schema'
import { RiskLevelChange } from '@drawbridge/schema/caep'
import {
  AccountDisabled,
  AccountEnabled,
  AccountPurged,
  CredentialCompromise,
  RecoveryInformationChanged,
} from '@drawbridge/schema/risc'
import { ScimActivate, ScimDeactivate } from '@drawbridge/schema/scim'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type Who,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { alice, aliceSince, noon, passwordChanged, revoked, signal } from './signals.ts'

let enforcement: Enforcement
let hooks: string[]

beforeEach(async () => {
  hooks = []
  const note = (name: string) => {
    return ({ cause }: { readonly cause: { readonly name: string } }): void => {
      hooks.push(`${name} ${cause.name}`)
    }
  }
  enforcement = createEnforcement({
    ledger: memoryLedger(),
    policy: recommendedPolicy(),
    clock: manualClock((noon + 3600) * 1000),
    hooks: {
      terminate: note('terminate'),
      suspend: note('suspend'),
      reauthenticate: note('reauthenticate'),
      restore: note('restore'),
    },
  })
  await enforcement.start()
})
afterEach(() => enforcement.stop())

const outcomeOf = (seconds: number): string => enforcement.check(aliceSince(seconds)).outcome

const compromised = (at: number, credential_type = 'password'): SecurityEvent =>
  signal(CredentialCompromise, alice, { at, payload: { credential_type } })

const risk = (current_level: 'LOW' | 'MEDIUM' | 'HIGH', at: number): SecurityEvent =>
  signal(RiskLevelChange, alice, { at, payload: { principal: 'USER', current_level } })

describe('a credential that is compromised', () => {
  it('attack: a token minted with the leaked secret after the report is refused too', async () => {
    await enforcement.apply(compromised(noon))
    expect([outcomeOf(-60), outcomeOf(60), outcomeOf(3000)]).toEqual(['refuse', 'refuse', 'refuse'])
  })

  it('lives again with the new credential alone: what began before the rotation is challenged', async () => {
    await enforcement.apply(compromised(noon))
    await enforcement.apply(passwordChanged({ user: alice }, { at: noon + 600 }))
    // The subject is another one: a complex one with a user is not the user alone.
    expect(outcomeOf(700)).toBe('refuse')
    await enforcement.apply(passwordChanged(alice, { at: noon + 600 }))
    expect([outcomeOf(-60), outcomeOf(60), outcomeOf(700)]).toEqual([
      'challenge',
      'challenge',
      'allow',
    ])
  })

  it('is not lifted by a credential that is added', async () => {
    await enforcement.apply(compromised(noon))
    await enforcement.apply(passwordChanged(alice, { at: noon + 600 }, 'create'))
    expect(outcomeOf(700)).toBe('refuse')
  })

  it('is not lifted by the change of another credential', async () => {
    await enforcement.apply(compromised(noon, 'fido2-roaming'))
    await enforcement.apply(passwordChanged(alice, { at: noon + 600 }))
    expect(outcomeOf(700)).toBe('refuse')
  })

  it('ends in the same state when the rotation arrives first, and when both are repeated', async () => {
    const rotation = passwordChanged(alice, { at: noon + 600 })
    const report = compromised(noon)
    for (const event of [rotation, report, rotation, report]) await enforcement.apply(event)
    expect([outcomeOf(60), outcomeOf(700)]).toEqual(['challenge', 'allow'])
  })

  it('is not lifted by another Transmitter', async () => {
    await enforcement.apply(compromised(noon))
    const iss = 'https://other.example'
    await enforcement.apply(passwordChanged(alice, { at: noon + 600, iss }))
    expect(outcomeOf(700)).toBe('refuse')
  })

  it('tells the hooks of each cause once', async () => {
    await enforcement.apply(compromised(noon))
    await enforcement.apply(passwordChanged(alice, { at: noon + 600 }))
    await enforcement.stop()
    expect(hooks.toSorted()).toEqual([
      'reauthenticate credential-change',
      'restore credential-compromise:password',
      'terminate credential-compromise:password',
    ])
  })
})

describe('the risk of a user', () => {
  it('asks for a login when it is high, and gives back when it is lower', async () => {
    await enforcement.apply(risk('MEDIUM', noon))
    expect(outcomeOf(-60)).toBe('allow')
    await enforcement.apply(risk('HIGH', noon + 10))
    expect(outcomeOf(-60)).toBe('challenge')
    await enforcement.apply(risk('MEDIUM', noon + 20))
    expect(outcomeOf(-60)).toBe('allow')
    await enforcement.apply(risk('HIGH', noon + 15))
    expect(outcomeOf(-60)).toBe('allow')
  })
})

describe('an account', () => {
  it('that is disabled is refused, logins after it too, until it is enabled', async () => {
    await enforcement.apply(signal(AccountDisabled, alice, { payload: { reason: 'hijacking' } }))
    expect([outcomeOf(-60), outcomeOf(60)]).toEqual(['refuse', 'refuse'])
    await enforcement.apply(signal(AccountEnabled, alice, { at: noon + 100 }))
    expect([outcomeOf(-60), outcomeOf(60)]).toEqual(['allow', 'allow'])
  })

  it('two causes, one lifted: the other stays', async () => {
    await enforcement.apply(signal(AccountDisabled, alice))
    await enforcement.apply(revoked({ user: alice }, { at: noon + 1 }))
    await enforcement.apply(signal(AccountEnabled, alice, { at: noon + 100 }))
    expect([outcomeOf(-60), outcomeOf(60)]).toEqual(['refuse', 'allow'])
  })

  it('that is purged stays refused', async () => {
    await enforcement.apply(signal(AccountPurged, alice))
    await enforcement.apply(signal(AccountEnabled, alice, { at: noon + 100 }))
    expect(outcomeOf(60)).toBe('refuse')
  })

  it('that is deactivated by SCIM is refused where the session knows the resource', async () => {
    const resource = scim('/Users/2819c223')
    const who = aliceSince(60)
    const subject: SubjectInput = { ...(who.subject as object), account: resource }
    const known: Who = { ...who, subject }
    await enforcement.apply(signal(ScimDeactivate, scim('/Users/2819c223', { externalId: 'x' })))
    expect(enforcement.check(known).outcome).toBe('refuse')
    expect(enforcement.check(who).outcome).toBe('allow')
    await enforcement.apply(signal(ScimActivate, resource, { at: noon + 100 }))
    expect(enforcement.check(known).outcome).toBe('allow')
  })

  it('takes nothing for a change of how it is recovered', async () => {
    const ignored: string[] = []
    enforcement.events.on('signal:ignored', ({ type }) => ignored.push(type))
    await enforcement.apply(signal(RecoveryInformationChanged, alice))
    expect(outcomeOf(-60)).toBe('allow')
    expect(ignored).toEqual([RecoveryInformationChanged.uri])
  })
})
