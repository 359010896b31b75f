import { describe, expect, it } from '@jest/globals'
import { opaque, type SubjectInput } from '@drawbridge/schema'
import {
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionEstablished,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { CredentialCompromise } from '@drawbridge/schema/risc'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  type EnforcementOptions,
  type Explanation,
  type Rule,
  type Who,
} from '@drawbridge/enforcement'
import {
  alice,
  aliceSince,
  idp,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  signal,
  startedNode,
} from './signals.ts'

const tenant = opaque('t-1')
const who = aliceSince(-60, { subject: { user: alice, device: laptop, tenant } })

type Event = Parameters<Awaited<ReturnType<typeof startedNode>>['enforcement']['apply']>[0]

/** What is left of a session after some events, by some rules. */
const after = async (
  rules: readonly Rule[],
  events: readonly Event[],
  session: Who = who,
): Promise<Explanation> => {
  const { enforcement } = await startedNode({ policy: createPolicy(rules) })
  for (const event of events) await enforcement.apply(event)
  const state = enforcement.explain(session)
  await enforcement.stop()
  return state
}

const risk = (current_level: 'LOW' | 'MEDIUM' | 'HIGH', at = noon, more: object = {}): Event =>
  signal(
    RiskLevelChange,
    { user: alice },
    { at, payload: { principal: 'USER', current_level, ...more } },
  )

describe('a condition of a rule', () => {
  const compliance = DeviceComplianceChange
  it.each<[string, Rule, string | undefined]>([
    ['the iss', { on: compliance, iss: idp, effect: 'suspend' }, 'suspend'],
    ['another iss', { on: compliance, iss: `${idp}/`, effect: 'suspend' }, undefined],
    ['a member', { on: compliance, subject: ['device'], effect: 'suspend' }, 'suspend'],
    ['all members', { on: compliance, subject: ['device', 'user'], effect: 'suspend' }, undefined],
    ['the kind', { on: compliance, kind: 'human', effect: 'suspend' }, 'suspend'],
    ['another kind', { on: compliance, kind: 'agent', effect: 'suspend' }, undefined],
    ['the tenant', { on: compliance, tenant, effect: 'suspend' }, 'suspend'],
    ['another tenant', { on: compliance, tenant: opaque('t-2'), effect: 'suspend' }, undefined],
    [
      'a claim',
      { on: compliance, claims: { current_status: 'not-compliant' }, effect: 'suspend' },
      'suspend',
    ],
    [
      'another claim',
      { on: compliance, claims: { initiating_entity: 'admin' }, effect: 'suspend' },
      undefined,
    ],
    [
      'one of two claims',
      {
        on: compliance,
        claims: { current_status: 'not-compliant', initiating_entity: 'admin' },
        effect: 'suspend',
      },
      undefined,
    ],
  ])('is about %s', async (_, rule, effect) => {
    const state = await after([rule], [notCompliant({ device: laptop })])
    expect(state.effect).toBe(effect)
  })
  it('about a tenant is not met by a session that says none', async () => {
    const rules: Rule[] = [{ on: compliance, tenant, effect: 'suspend' }]
    const state = await after(rules, [notCompliant({ device: laptop })], aliceSince(-60))
    expect(state.effect).toBeUndefined()
  })
  it('about a member is not met by a subject that is simple', async () => {
    const rules: Rule[] = [{ on: compliance, subject: ['device'], effect: 'suspend' }]
    expect((await after(rules, [notCompliant(laptop)])).effect).toBeUndefined()
  })
})

describe('of several rules', () => {
  it('the first that fits the event counts', async () => {
    const rules: Rule[] = [
      { on: CredentialChange, claims: { change_type: 'revoke' }, effect: 'terminate' },
      { on: CredentialChange, effect: 'reauthenticate' },
    ]
    const effectOf = async (change: 'revoke' | 'update'): Promise<unknown> =>
      (await after(rules, [passwordChanged({ user: alice }, {}, change)])).effect
    expect([await effectOf('revoke'), await effectOf('update')]).toEqual([
      'terminate',
      'reauthenticate',
    ])
  })
  it('the first that fits the session counts, and not the hardest', async () => {
    const rules: Rule[] = [
      { on: RiskLevelChange, kind: 'agent', effect: 'restrict', terms: { take: ['write'] } },
      { on: RiskLevelChange, tenant, effect: 'reauthenticate' },
      { on: RiskLevelChange, effect: 'terminate' },
    ]
    const effects = [
      await after(rules, [risk('HIGH')], { ...who, kind: 'agent' }),
      await after(rules, [risk('HIGH')], who),
      await after(rules, [risk('HIGH')], aliceSince(-60)),
    ].map(({ effect }) => effect)
    expect(effects).toEqual(['restrict', 'reauthenticate', 'terminate'])
  })
  it('each keeps its own terms', async () => {
    const rules: Rule[] = [
      { on: RiskLevelChange, kind: 'agent', effect: 'restrict', terms: { take: ['write'] } },
      { on: RiskLevelChange, effect: 'restrict', terms: { leave: ['read'] } },
    ]
    const agent = await after(rules, [risk('HIGH')], { ...who, kind: 'agent' })
    expect(agent.grants).toEqual({ taken: ['write'] })
    expect((await after(rules, [risk('HIGH')])).grants).toEqual({ taken: [], left: ['read'] })
  })
})

describe('an event that no rule fits', () => {
  const high: Rule = { on: RiskLevelChange, claims: { current_level: 'HIGH' }, effect: 'suspend' }

  it('gives back where it says a degree that has none', async () => {
    const state = await after([high], [risk('HIGH'), risk('MEDIUM', noon + 10)])
    expect(state.taken).toEqual([])
  })
  it('gives nothing back where it says the same degree, for another reason', async () => {
    const rule: Rule = {
      on: RiskLevelChange,
      claims: { current_level: 'HIGH', risk_reason: 'BOT' },
      effect: 'suspend',
    }
    const events = [
      risk('HIGH', noon, { risk_reason: 'BOT' }),
      risk('HIGH', noon + 10, { risk_reason: 'TRAVEL' }),
    ]
    expect((await after([rule], events)).effect).toBe('suspend')
  })
  it('gives nothing back where another degree has a rule that it misses', async () => {
    const medium: Rule = {
      on: RiskLevelChange,
      claims: { current_level: 'MEDIUM', risk_reason: 'BOT' },
      effect: 'reauthenticate',
    }
    const events = [risk('HIGH'), risk('MEDIUM', noon + 10)]
    expect((await after([high, medium], events)).effect).toBe('suspend')
  })
  it('gives nothing back where it says that the condition holds', async () => {
    const rule: Rule = {
      on: DeviceComplianceChange,
      claims: { initiating_entity: 'policy' },
      effect: 'suspend',
    }
    const status = { previous_status: 'compliant', current_status: 'not-compliant' } as const
    const said = (at: number, initiating_entity: 'policy' | 'user'): Event =>
      signal(
        DeviceComplianceChange,
        { device: laptop },
        { at, payload: { ...status, initiating_entity } },
      )
    const state = await after([rule], [said(noon, 'policy'), said(noon + 10, 'user')])
    expect(state.effect).toBe('suspend')
  })
  it('gives back by the counter-signal, whatever the rules say', async () => {
    const state = await after([high], [risk('HIGH'), risk('LOW', noon + 10)])
    expect(state.taken).toEqual([])
  })
})

describe('rules that are wrong', () => {
  const mistakesOf = (work: () => unknown): string => {
    try {
      work()
      return 'none'
    } catch (error) {
      return (error as Error).message
    }
  }
  it.each<[string, object, RegExp]>([
    ['no type', { effect: 'suspend' }, /"rules\[0\]\.on"/],
    [
      'a type that takes nothing',
      { on: SessionEstablished, effect: 'suspend' },
      /"rules\[0\]\.on"/,
    ],
    ['no effect', { on: RiskLevelChange }, /"rules\[0\]\.effect"/],
    ['an unknown effect', { on: RiskLevelChange, effect: 'block' }, /"rules\[0\]\.effect"/],
    [
      'an unknown member',
      { on: RiskLevelChange, effect: 'suspend', when: 1 },
      /"rules\[0\]\.when"/,
    ],
    ['an iss', { on: RiskLevelChange, effect: 'suspend', iss: 1 }, /"rules\[0\]\.iss"/],
    ['a subject', { on: RiskLevelChange, effect: 'suspend', subject: [] }, /\.subject"/],
    ['a kind', { on: RiskLevelChange, effect: 'suspend', kind: 'robot' }, /\.kind"/],
    ['a tenant', { on: RiskLevelChange, effect: 'suspend', tenant: 't-1' }, /\.tenant"/],
    ['a claim', { on: RiskLevelChange, effect: 'suspend', claims: { level: 1 } }, /\.claims"/],
    ['a term', { on: RiskLevelChange, effect: 'suspend', terms: { acr: 'x' } }, /\.terms\.acr"/],
    ['terms', { on: RiskLevelChange, effect: 'shorten' }, /\.terms\.lifetimeSeconds"/],
    ['both', { on: RiskLevelChange, effect: 'restrict', terms: { take: [], leave: [] } }, /either/],
    [
      'a grant that can be none',
      { on: RiskLevelChange, effect: 'restrict', terms: { take: ['a b'] } },
      /\.terms\.take"/,
    ],
    [
      'a claim of an event without claims',
      { on: RiskLevelChange, effect: 'restrict', terms: { leaveClaim: 'scope' } },
      /\.leaveClaim" needs/,
    ],
    [
      'a claim with company',
      { on: TokenClaimsChange, effect: 'restrict', terms: { leaveClaim: 'scope', take: [] } },
      /\.leaveClaim" must/,
    ],
    [
      'a login with a leaked credential',
      { on: CredentialCompromise, effect: 'reauthenticate' },
      /proves nothing/,
    ],
  ])('are named: %s', (_, rule, pattern) => {
    expect(mistakesOf(() => createPolicy([rule as Rule]))).toMatch(pattern)
  })
  it('are named by their place, and all at once', () => {
    const rules = [
      { on: RiskLevelChange, effect: 'block' },
      { on: CredentialChange, effect: 'shorten' },
      { on: RiskLevelChange, effect: 'suspend', kind: 'robot' },
    ] as unknown as Rule[]
    const text = mistakesOf(() => createPolicy(rules))
    for (const name of ['rules[0].effect', 'rules[1].terms.lifetimeSeconds', 'rules[2].kind']) {
      expect(text).toContain(`"${name}"`)
    }
  })
  it('that can never count are named, and those for some sessions hide none', () => {
    const all: Rule = { on: RiskLevelChange, effect: 'suspend' }
    expect(mistakesOf(() => createPolicy([all, { ...all, kind: 'agent' }]))).toMatch(
      /"rules\[1\]\.on"/,
    )
    expect(mistakesOf(() => createPolicy([{ ...all, kind: 'agent' }, all]))).toBe('none')
  })

  const mistakesWith = (rules: readonly Rule[], more: Partial<EnforcementOptions>): string =>
    mistakesOf(() =>
      createEnforcement({ ledger: memoryLedger(), policy: createPolicy(rules), ...more }),
    )
  it('that name a grant that there is not are named, where the grants are', () => {
    const rules: Rule[] = [
      { on: RiskLevelChange, effect: 'restrict', terms: { take: ['wriet'] } },
      { on: CredentialChange, effect: 'restrict', terms: { leave: ['raed', 'read'] } },
    ]
    const text = mistakesWith(rules, { grants: ['read', 'write'] })
    expect(text).toMatch(/"policy\.rules\[0\]\.terms" names "wriet"/)
    expect(text).toMatch(/"policy\.rules\[1\]\.terms" names "raed"/)
    expect(text).not.toMatch(/"read", which/)
    expect(mistakesWith(rules, {})).toBe('none')
  })
  it('that ask for two classes need to know which is stronger', () => {
    const rules: Rule[] = [
      { on: RiskLevelChange, effect: 'reauthenticate', terms: { acr: 'mfa' } },
      { on: CredentialChange, effect: 'reauthenticate', terms: { acr: 'phr' } },
    ]
    expect(mistakesWith(rules, {})).toMatch(/"acrOrder"/)
    expect(mistakesWith(rules, { acrOrder: ['mfa'] })).toMatch(/"acrOrder"/)
    expect(mistakesWith(rules, { acrOrder: ['mfa', 'phr'] })).toBe('none')
    expect(mistakesWith(rules.slice(1), {})).toBe('none')
  })
  it('a request that requires a grant that there is not is an error', async () => {
    const { enforcement } = await startedNode({ grants: ['read'] })
    const subject: SubjectInput = { user: alice }
    expect(() => enforcement.check({ ...who, subject }, { requires: ['raed'] })).toThrow(
      /"requires"/,
    )
  })
})
