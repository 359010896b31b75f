import { describe, expect, it } from '@jest/globals'
import { accessMeanings } from '@drawbridge/schema'
import {
  caepEventTypes,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
} from '@drawbridge/schema/caep'
import { CredentialCompromise, riscEventTypes } from '@drawbridge/schema/risc'
import { scimEventTypes } from '@drawbridge/schema/scim'
import { Verification } from '@drawbridge/schema/ssf'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type EnforcementOptions,
  type Rule,
} from '@drawbridge/enforcement'
import { alice, idp } from './signals.ts'

const mistakesOf = (work: () => unknown): readonly string[] => {
  try {
    work()
  } catch (error) {
    expect(error).toMatchObject({ name: 'OptionsError', code: 'ERR_INVALID_ARG_VALUE' })
    return (error as { mistakes: readonly string[] }).mistakes
  }
  return []
}

describe('createPolicy', () => {
  it('names every mistake of every rule at once', () => {
    const rules = [
      { on: SessionRevoked, effect: 'terminate' },
      { on: SessionRevoked, effect: 'annihilate' },
      { on: Verification, effect: 'suspend' },
      { effect: 'suspend' },
      undefined,
    ] as unknown as readonly Rule[]
    expect(mistakesOf(() => createPolicy(rules))).toEqual([
      '"rules[1].effect" must be one of shorten, restrict, reauthenticate, suspend, terminate',
      '"rules[1].on" has a rule for all its events already: this one would never count',
      '"rules[2].on" is a type that says nothing about access',
      '"rules[3].on" must be an event type, such as SessionRevoked',
      '"rules[4].on" must be an event type, such as SessionRevoked',
      '"rules[4].effect" must be one of shorten, restrict, reauthenticate, suspend, terminate',
    ])
  })
  it('names what a rule must not say of the event', () => {
    const rules: readonly Rule[] = [
      { on: CredentialCompromise, effect: 'reauthenticate' },
      { on: RiskLevelChange, claims: { level: 'HIGH' }, effect: 'suspend' },
    ]
    expect(mistakesOf(() => createPolicy(rules))).toEqual([
      '"rules[0].effect" must be suspend or terminate: a login with the leaked credential proves nothing',
      '"rules[1].claims" must name members of the event',
    ])
  })
  it('finds a rule by the event, and none for a type that has none', () => {
    const policy = createPolicy([{ on: SessionRevoked, effect: 'suspend' }])
    const about = { payload: {}, iss: idp, subject: alice }
    const rules = policy.rulesFor({ ...about, type: SessionRevoked.uri })
    expect(rules.map(({ effect }) => effect)).toEqual(['suspend'])
    expect(policy.rulesFor({ ...about, type: DeviceComplianceChange.uri })).toEqual([])
    expect(policy.knows(SessionRevoked.uri)).toBe(true)
    expect(policy.knows(DeviceComplianceChange.uri)).toBe(false)
  })
  it('takes the first rule that an event fits', () => {
    const { rulesFor } = createPolicy([
      {
        on: RiskLevelChange,
        claims: { current_level: 'HIGH', principal: 'USER' },
        effect: 'suspend',
      },
      { on: RiskLevelChange, claims: { current_level: 'HIGH' }, effect: 'reauthenticate' },
    ])
    const effectOf = (payload: object): string | undefined =>
      rulesFor({ type: RiskLevelChange.uri, payload, iss: idp, subject: alice })[0]?.effect
    expect(effectOf({ current_level: 'HIGH', principal: 'USER' })).toBe('suspend')
    expect(effectOf({ current_level: 'HIGH', principal: 'DEVICE' })).toBe('reauthenticate')
    expect(effectOf({ current_level: 'MEDIUM', principal: 'USER' })).toBeUndefined()
    expect(effectOf({})).toBeUndefined()
  })
})

describe('recommendedPolicy', () => {
  it('has a rule, with a reason, for each type that may take access, one apart', () => {
    const { rules, knows } = recommendedPolicy()
    for (const { reason } of rules) expect(reason).toMatch(/\w/)
    const lifts = ['account-enabled', 'prov:activate', 'identifier-recycled']
    const taking = [...caepEventTypes, ...riscEventTypes, ...scimEventTypes].filter(
      ({ uri, name }) => accessMeanings.get(uri)?.cause !== 'none' && !lifts.includes(name),
    )
    expect(taking.length).toBeGreaterThan(10)
    expect(taking.filter(({ uri }) => !knows(uri)).map(({ name }) => name)).toEqual([
      // Its owner does so most of the time: alone it is no reason to take anything.
      'recovery-information-changed',
    ])
  })
})

describe('createEnforcement', () => {
  const right = { ledger: memoryLedger(), policy: recommendedPolicy() }
  it('names every mistake at once, as the caller wrote it', () => {
    const options = {
      hooks: { terminate: 'sessions.destroy', destroy: () => undefined },
      hookRetry: { attempts: 0, tries: 3 },
      toleranceSeconds: -1,
      longestSessionSeconds: Number.NaN,
      loginUrl: '//elsewhere.example',
      clock: {},
      tolerance: 3,
    } as unknown as EnforcementOptions
    const names = mistakesOf(() => createEnforcement(options)).map(
      (sentence) => /^"([^"]+)"/.exec(sentence)?.[1],
    )
    expect(names.toSorted()).toEqual(
      [
        'tolerance',
        'ledger',
        'policy',
        'clock',
        'hooks.terminate',
        'hooks.destroy',
        'hookRetry.attempts',
        'hookRetry.tries',
        'toleranceSeconds',
        'longestSessionSeconds',
        'loginUrl',
      ].toSorted(),
    )
  })
  it('takes no options for a mistake like any other', () => {
    const nothing = undefined as unknown as EnforcementOptions
    expect(mistakesOf(() => createEnforcement(nothing))).toHaveLength(2)
  })
  it.each(['/login', '/login?from=guard', 'https://app.example/login?a=b'])(
    'takes %s as a loginUrl',
    (loginUrl) => {
      expect(mistakesOf(() => createEnforcement({ ...right, loginUrl }))).toEqual([])
    },
  )
})
