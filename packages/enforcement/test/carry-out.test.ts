import { describe, expect, it } from '@jest/globals'
import { email, issSub, opaque, type SecurityEvent } from '@drawbridge/schema'
import { CredentialChange, RiskLevelChange } from '@drawbridge/schema/caep'
import { CredentialCompromise } from '@drawbridge/schema/risc'
import {
  createPolicy,
  recommendedPolicy,
  type HookCall,
  type HookName,
  type Hooks,
  type Who,
} from '@drawbridge/enforcement'
import { settled } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  compliant,
  idp,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  signal,
  startedNode,
} from './signals.ts'

const other = 'https://other.example'
const names: readonly HookName[] = ['reauthenticate', 'suspend', 'terminate', 'restore', 'rotate']

/** Hooks that note how they are called. */
const noting = (calls: HookCall[]): Hooks =>
  Object.fromEntries(names.map((name) => [name, (call: HookCall) => calls.push(call)]))

const risk = (principal: 'USER', at = noon): SecurityEvent =>
  signal(RiskLevelChange, { user: alice }, { at, payload: { principal, current_level: 'HIGH' } })

const agent = aliceSince(-60, { kind: 'agent' })
const human = aliceSince(-60)

describe('hooks and mandates', () => {
  it('are not told of users whom another issuer has to name', async () => {
    const calls: HookCall[] = []
    const { enforcement, told } = await startedNode({ hooks: noting(calls) })
    await enforcement.apply(revoked({ user: alice }, { iss: other }))
    await enforcement.apply(revoked({ user: issSub(other, 'bob') }, { iss: other }))
    await settled()
    expect(calls.map(({ subject }) => subject)).toMatchObject([{ user: { iss: other } }])
    expect(told('signal:applied')).toHaveLength(2)
  })
  it('are told of them with a mandate', async () => {
    const calls: HookCall[] = []
    const mandates = { [other]: { issuers: [idp] } }
    const { enforcement } = await startedNode({ hooks: noting(calls), mandates })
    await enforcement.apply(revoked({ user: alice }, { iss: other }))
    await settled()
    expect(calls.map(({ name }) => name)).toEqual(['terminate'])
    expect(calls[0]?.takesFrom(human)).toBe(true)
  })
  it('judge whom they reach as the guard does: no mandate, no session', async () => {
    const calls: HookCall[] = []
    const sessions = (): readonly Who[] => [human, { ...human, issuer: other }]
    const { enforcement } = await startedNode({ hooks: noting(calls), sessions })
    const subject = { user: email('a@b.example') }
    const known = { ...human, subject: { user: subject.user }, issuer: idp }
    await enforcement.apply(revoked(subject, { iss: other }))
    await settled()
    expect(calls[0]?.takesFrom(known)).toBe(false)
    expect(calls[0]?.takesFrom({ ...known, issuer: other })).toBe(true)
    expect(await calls[0]?.sessions()).toEqual([])
  })
})

describe('hooks and rules for some kinds of sessions', () => {
  const policy = createPolicy([
    { on: RiskLevelChange, kind: 'agent', effect: 'terminate' },
    { on: RiskLevelChange, effect: 'reauthenticate' },
  ])
  it('run one for each effect, and each reaches its own sessions', async () => {
    const calls: HookCall[] = []
    const sessions = (): readonly Who[] => [agent, human]
    const { enforcement } = await startedNode({ hooks: noting(calls), policy, sessions })
    await enforcement.apply(risk('USER'))
    await settled()
    expect(calls.map(({ name, effect }) => [name, effect]).toSorted()).toEqual([
      ['reauthenticate', 'reauthenticate'],
      ['terminate', 'terminate'],
    ])
    const reached = await Promise.all(
      calls.map(async ({ name, sessions: find }) => [name, await find()]),
    )
    expect(Object.fromEntries(reached)).toEqual({ terminate: [agent], reauthenticate: [human] })
  })
  it('run none for sessions that no rule fits', async () => {
    const calls: HookCall[] = []
    const forAgents = createPolicy([{ on: RiskLevelChange, kind: 'agent', effect: 'suspend' }])
    const { enforcement } = await startedNode({ hooks: noting(calls), policy: forAgents })
    await enforcement.apply(risk('USER'))
    await settled()
    expect(calls.map(({ name }) => name)).toEqual(['suspend'])
    expect([calls[0]?.takesFrom(agent), calls[0]?.takesFrom(human)]).toEqual([true, false])
  })
})

describe('the hook', () => {
  it('restore is told what was taken, and reaches whom the signal named', async () => {
    const calls: HookCall[] = []
    const { enforcement } = await startedNode({ hooks: noting(calls) })
    await enforcement.apply(notCompliant(laptop))
    await enforcement.apply(compliant(laptop, { at: noon + 1 }))
    await settled()
    expect(calls.map(({ name, effect }) => [name, effect])).toEqual([
      ['suspend', 'suspend'],
      ['restore', 'suspend'],
    ])
    const tablet = aliceSince(0, { subject: { user: alice, device: opaque('tablet') } })
    expect([calls[1]?.takesFrom(human), calls[1]?.takesFrom(tablet)]).toEqual([true, false])
  })
  it('rotate runs besides for a credential that is compromised, and does not hold it up', async () => {
    const ran: string[] = []
    const { enforcement } = await startedNode({
      hooks: {
        rotate: () => new Promise(() => ran.push('rotate')),
        terminate: () => ran.push('terminate'),
      },
      hookRetry: { attempts: 1, timeoutMs: 1 },
    })
    const payload = { credential_type: 'password' }
    await enforcement.apply(signal(CredentialCompromise, alice, { payload }))
    await settled()
    expect(ran).toEqual(['rotate', 'terminate'])
  })
  it('waits as long as the peer asked for before it is tried again', async () => {
    let attempts = 0
    const { enforcement, clock } = await startedNode({
      hooks: {
        terminate: () => {
          attempts++
          throw Object.assign(new Error('busy'), { retryAfterMs: 60_000 })
        },
      },
    })
    await enforcement.apply(revoked(alice))
    await clock.advance(59_000)
    expect(attempts).toBe(1)
    await clock.advance(1000)
    expect(attempts).toBe(2)
  })
})

describe('a cut', () => {
  it('that is milder and comes later gives back nothing of a harder one', async () => {
    const policy = createPolicy([
      { on: CredentialChange, claims: { change_type: 'revoke' }, effect: 'terminate' },
      ...recommendedPolicy().rules,
    ])
    const { enforcement } = await startedNode({ policy })
    await enforcement.apply(passwordChanged({ user: alice }, { at: noon }, 'revoke'))
    await enforcement.apply(passwordChanged({ user: alice }, { at: noon + 10 }))
    expect(enforcement.check(aliceSince(-1)).effect).toBe('terminate')
    expect(enforcement.check(aliceSince(5)).effect).toBe('reauthenticate')
    expect(enforcement.check(aliceSince(11)).outcome).toBe('allow')
  })
})

describe('a session', () => {
  it('that begins in a year far from now is an error: milliseconds were taken for seconds', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const who = { ...human, began: new Date(noon * 1000 * 1000) }
    expect(() => enforcement.check(who)).toThrow('"who.began" must not be in the future')
  })
  it('is refused for grants that are no list', async () => {
    const { enforcement } = await startedNode()
    expect(() => enforcement.check(human, { requires: 'files:read' as never })).toThrow(
      '"requires" must name grants',
    )
  })
})

describe('a signal that reaches very many sessions', () => {
  it('leaves the turn to others while hooks look for them', async () => {
    const who: Who[] = Array.from({ length: 2000 }, (_, place) =>
      aliceSince(-60, { subject: { user: alice, session: opaque(`s-${place}`) } }),
    )
    let turns = 0
    const reached: number[] = []
    const { enforcement } = await startedNode({
      sessions: () => who,
      hooks: {
        terminate: async ({ sessions }) => {
          const before = turns
          reached.push((await sessions()).length, turns - before)
        },
      },
    })
    await enforcement.apply(revoked({ user: alice }))
    while (reached.length === 0) {
      turns++
      await settled()
    }
    expect(reached[0]).toBe(2000)
    expect(reached[1]).toBeGreaterThan(5)
  })
})
