import { describe, expect, it } from '@jest/globals'
import { DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { Verification } from '@drawbridge/schema/ssf'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type EnforcementOptions,
  type Rule,
} from '@drawbridge/enforcement'

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
      '"rules[1].effect" must be one of reauthenticate, suspend, terminate',
      '"rules[1].on" has a rule already: one type, one rule',
      '"rules[2].on" is a type that says nothing about access',
      '"rules[3].on" must be an event type, such as SessionRevoked',
      '"rules[4].on" must be an event type, such as SessionRevoked',
      '"rules[4].effect" must be one of reauthenticate, suspend, terminate',
    ])
  })
  it('finds a rule by the event type, and none for a type that has none', () => {
    const policy = createPolicy([{ on: SessionRevoked, effect: 'suspend' }])
    expect(policy.ruleFor(SessionRevoked.uri)?.effect).toBe('suspend')
    expect(policy.ruleFor(DeviceComplianceChange.uri)).toBeUndefined()
  })
})

describe('recommendedPolicy', () => {
  it('gives a reason for every rule', () => {
    const { rules } = recommendedPolicy()
    expect(rules.map(({ on, effect }) => [on.name, effect])).toEqual([
      ['session-revoked', 'terminate'],
      ['credential-change', 'reauthenticate'],
      ['device-compliance-change', 'suspend'],
    ])
    for (const { reason } of rules) expect(reason).toMatch(/\w/)
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
