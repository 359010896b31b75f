import { describe, expect, it } from '@jest/globals'
import type { SecurityEvent } from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
} from '@drawbridge/schema/caep'
import { AccountDisabled, AccountEnabled, RecoveryActivated } from '@drawbridge/schema/risc'
import { createPolicy, prepare, type EnforcementOptions, type Rule } from '@drawbridge/enforcement'
import { agentOf, at, chainOf, effectsOf, helperOf, human, robot } from './delegation-chain.ts'
import {
  alice,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  signal,
  startedNode,
  type TestNode,
} from './signals.ts'

const none = 'none'
const nodeWith = (
  rules: readonly Rule[],
  options: Partial<EnforcementOptions> = {},
): Promise<TestNode> => startedNode({ policy: createPolicy(rules), ...options })

const highRisk = (more: object = {}): SecurityEvent =>
  signal(
    RiskLevelChange,
    { user: alice },
    { payload: { principal: 'USER', current_level: 'HIGH', ...more } },
  )

describe('when each of a chain began', () => {
  it('what is exchanged while the cut is on its way falls under it', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const exchanged = agentOf(human(), { began: at(30) })
    const all = [exchanged, helperOf(exchanged, { began: at(40) })]
    expect(effectsOf(enforcement, ...all)).toEqual(['terminate', 'terminate'])
  })
  it('what she delegates after she has logged in again does not', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const again = human({ began: at(1) })
    const same = human({ began: at(0.9) })
    expect(effectsOf(enforcement, again, agentOf(again), agentOf(same))).toEqual([
      none,
      none,
      'terminate',
    ])
  })
  it('a cut of the agent counts from when the agent began, and not from when she did', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: robot }))
    const later = agentOf(human(), { began: at(5) })
    expect(effectsOf(enforcement, agentOf(), later, helperOf(later))).toEqual([
      'terminate',
      none,
      none,
    ])
  })
  it('a beginning by the local clock has its tolerance, each its own', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const local = human({ began: at(20), beganIsLocal: true })
    expect(effectsOf(enforcement, agentOf(local))).toEqual(['terminate'])
    const exact = agentOf(human({ began: at(20) }), { beganIsLocal: true })
    expect(effectsOf(enforcement, exact)).toEqual([none])
  })
})

describe('rules for kinds of sessions', () => {
  it('count for what acts, by what it is itself: a rule for agents on a signal about her', async () => {
    const { enforcement } = await nodeWith([
      { on: RiskLevelChange, kind: 'agent', effect: 'suspend' },
      { on: RiskLevelChange, effect: 'reauthenticate' },
    ])
    await enforcement.apply(highRisk())
    const script = agentOf(human(), { kind: 'service' })
    expect(effectsOf(enforcement, human(), agentOf(), script)).toEqual([
      'reauthenticate',
      'suspend',
      'reauthenticate',
    ])
  })
})

describe('a stronger login', () => {
  const rules: readonly Rule[] = [
    { on: AssuranceLevelChange, effect: 'reauthenticate', terms: { acr: 'mfa' } },
  ]
  it('is hers to show, and gives back what acts for her', async () => {
    const { enforcement } = await nodeWith(rules)
    const levels = { current_level: 'low', change_direction: 'decrease' } as const
    const payload = { namespace: 'n', ...levels }
    await enforcement.apply(signal(AssuranceLevelChange, { user: alice }, { payload }))
    const weak = human({ began: at(5), acr: 'pwd' })
    const strong = human({ began: at(5), acr: 'mfa' })
    const all = [agentOf(weak, { acr: 'mfa' }), agentOf(strong), helperOf(agentOf(strong))]
    expect(effectsOf(enforcement, ...all)).toEqual(['reauthenticate', none, none])
    const granted = [weak, strong].map((one) => agentOf(one, { endsWith: 'grant' }))
    expect(effectsOf(enforcement, ...granted)).toEqual(['reauthenticate', none])
  })
})

describe('what is taken in part', () => {
  it('grants: what she lost, what acts for her has lost, and neither gets more', async () => {
    const { enforcement } = await nodeWith([
      { on: RiskLevelChange, effect: 'restrict', terms: { take: ['write'] } },
      { on: DeviceComplianceChange, effect: 'restrict', terms: { leave: ['read', 'write'] } },
    ])
    await enforcement.apply(highRisk())
    await enforcement.apply(notCompliant({ user: robot }))
    const agent = agentOf(human(), { grants: ['read', 'write', 'admin'] })
    const outcomes = [['read'], ['write'], ['admin']].map(
      (requires) => enforcement.check(agent, { requires }).outcome,
    )
    expect(outcomes).toEqual(['allow', 'refuse', 'refuse'])
    expect(enforcement.explain(helperOf()).grants).toEqual({ taken: ['write'], left: ['read'] })
    expect(enforcement.explain(human()).grants).toEqual({ taken: ['write'] })
  })
  it('time: the end of hers is the end of what rests on it', async () => {
    const { enforcement, clock } = await nodeWith([
      { on: RecoveryActivated, effect: 'shorten', terms: { lifetimeSeconds: 90 } },
    ])
    await enforcement.apply(signal(RecoveryActivated, { user: alice }))
    const late = agentOf(human(), { began: at(30) })
    const all = [human(), late, helperOf(), agentOf(human(), { endsWith: 'grant' })]
    const ends = all.map((who) => enforcement.explain(who).expiresAt)
    expect(ends).toEqual([at(90), at(90), at(90), undefined])
    await clock.advance(31_000)
    expect(effectsOf(enforcement, ...all)).toEqual(['terminate', 'terminate', 'terminate', none])
  })
  it('time to log in again: when hers is over, what acts for her has ended', async () => {
    const { enforcement, clock } = await nodeWith([
      { on: CredentialChange, effect: 'reauthenticate', terms: { graceSeconds: 120 } },
    ])
    await enforcement.apply(passwordChanged({ user: alice }))
    const all = [agentOf(), agentOf(human({ began: at(30) }))]
    expect(effectsOf(enforcement, ...all)).toEqual(['reauthenticate', none])
    await clock.advance(61_000)
    expect(effectsOf(enforcement, ...all)).toEqual(['terminate', none])
  })
})

describe('a break-glass account', () => {
  const protect = [alice]
  it('keeps what acts for it, as far as a signal is about the account', async () => {
    const { enforcement } = await startedNode({ protect })
    await enforcement.apply(signal(AccountDisabled, { user: alice }))
    expect(effectsOf(enforcement, human(), agentOf(), helperOf())).toEqual([
      'reauthenticate',
      'reauthenticate',
      'reauthenticate',
    ])
  })
  it('keeps the grants of what acts for it, for no login returns them', async () => {
    const rules: readonly Rule[] = [
      { on: RiskLevelChange, effect: 'restrict', terms: { take: ['write'] } },
    ]
    const { enforcement } = await nodeWith(rules, { protect })
    await enforcement.apply(highRisk())
    expect(enforcement.check(agentOf())).toMatchObject({ effect: 'reauthenticate' })
  })
  it('does not soften what is said of the agent itself, nor what the two are named for', async () => {
    const { enforcement } = await startedNode({ protect })
    await enforcement.apply(signal(AccountDisabled, { user: robot }))
    expect(effectsOf(enforcement, human(), agentOf(), helperOf())).toEqual([
      none,
      'suspend',
      'suspend',
    ])
  })
})

describe('a prepared session that acts for another', () => {
  it('is answered like the one it was made from, at every moment', async () => {
    const { enforcement, clock } = await nodeWith([
      { on: SessionRevoked, effect: 'terminate' },
      { on: AccountDisabled, effect: 'suspend' },
      { on: RecoveryActivated, effect: 'shorten', terms: { lifetimeSeconds: 90 } },
    ])
    const all = [agentOf(), helperOf(), chainOf('session', 'grant'), chainOf('grant', 'session')]
    const prepared = all.map(prepare)
    expect(prepared).toEqual(all)
    const moments: (() => unknown)[] = [
      () => undefined,
      () => enforcement.apply(signal(RecoveryActivated, { user: alice })),
      () => enforcement.apply(signal(AccountDisabled, { user: alice })),
      () => clock.advance(40_000),
      () => enforcement.apply(signal(AccountEnabled, { user: alice }, { at: noon + 1 })),
      () => enforcement.apply(revoked({ device: laptop })),
    ]
    const seen = new Set<string>()
    for (const moment of moments) {
      await moment()
      for (const [place, who] of all.entries()) {
        const one = prepared[place] ?? who
        expect(enforcement.explain(one)).toEqual(enforcement.explain(who))
        expect(enforcement.check(one).effect).toBe(enforcement.check(who).effect)
      }
      seen.add(effectsOf(enforcement, ...all).join())
    }
    expect(seen.size).toBe(5)
  })
  it('does not change with what it was made from', async () => {
    const { enforcement } = await startedNode()
    const delegator = { ...human() }
    const prepared = prepare(agentOf(delegator))
    await enforcement.apply(revoked({ user: alice }))
    delegator.began = at(50)
    expect(effectsOf(enforcement, prepared, agentOf(delegator))).toEqual(['terminate', none])
  })
})
