import { describe, expect, it } from '@jest/globals'
import {
  createPolicy,
  fold,
  readSession,
  type FoldRules,
  type HookCall,
  type RuleEffect,
  type Terms,
} from '@drawbridge/enforcement'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { createAuthority } from '../src/authority/authority.ts'
import { settled } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  compliant,
  entryWith,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  startedNode,
  type EntryParts,
  type TestNode,
} from './signals.ts'

/** A node whose policy has one effect for a cut, and another for a condition. */
const nodeWith = (cut: RuleEffect, condition?: RuleEffect): Promise<TestNode> =>
  startedNode({
    policy: createPolicy([
      { on: SessionRevoked, ...cut },
      ...(condition ? [{ on: DeviceComplianceChange, ...condition }] : []),
    ]),
    acrOrder: ['low', 'mid', 'high'],
  })

const rules: FoldRules = { authority: createAuthority(), acrOrder: ['low', 'mid', 'high'] }

const stateOf = (
  entries: readonly EntryParts[],
  who = aliceSince(-60),
  now = noon + 60,
): ReturnType<typeof fold> => fold(entries.map(entryWith), readSession(who, 30), now, rules)

const seconds = (at: Date | undefined): number | undefined => at && at.getTime() / 1000 - noon

describe('shorten', () => {
  const shorten = (lifetimeSeconds: number): RuleEffect => ({
    effect: 'shorten',
    terms: { lifetimeSeconds },
  })

  it('lets a session live on from T, and says until when', async () => {
    const { enforcement } = await nodeWith(shorten(300))
    await enforcement.apply(revoked({ user: alice }))
    const decision = enforcement.check(aliceSince(-60))
    expect(decision).toMatchObject({ outcome: 'allow', effect: 'shorten' })
    expect(decision.outcome === 'allow' && seconds(decision.expiresAt)).toBe(300)
    expect(seconds(enforcement.explain(aliceSince(-60)).expiresAt)).toBe(300)
  })
  it('of a condition counts from the beginning of the session, where that is later', async () => {
    const { enforcement } = await nodeWith(shorten(1), shorten(300))
    await enforcement.apply(notCompliant({ device: laptop }))
    expect(seconds(enforcement.explain(aliceSince(40)).expiresAt)).toBe(340)
    expect(seconds(enforcement.explain(aliceSince(-40)).expiresAt)).toBe(300)
  })
  it('ends the session by time alone, and then a new login helps', async () => {
    const { enforcement, clock } = await nodeWith(shorten(300))
    await enforcement.apply(revoked({ user: alice }))
    await clock.advance(239_999)
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
    await clock.advance(1)
    const decision = enforcement.check(aliceSince(-60))
    expect(decision).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
    expect(enforcement.explain(aliceSince(-60)).taken).toMatchObject([
      { effect: 'terminate', restoredBy: 'new-session' },
    ])
    expect(enforcement.check(aliceSince(1)).outcome).toBe('allow')
  })
  it('by two signals lets live as long as the shorter', () => {
    const entries: EntryParts[] = [
      { effect: 'shorten', terms: { lifetimeSeconds: 500 } },
      { effect: 'shorten', terms: { lifetimeSeconds: 100 }, since: noon + 50 },
      { effect: 'shorten', terms: { lifetimeSeconds: 400 } },
    ]
    expect(stateOf(entries).endsAt).toBe(noon + 150)
    expect(stateOf(entries.toReversed()).endsAt).toBe(noon + 150)
  })
  it('reaches nothing that began after a cut', () => {
    const entries: EntryParts[] = [{ effect: 'shorten', terms: { lifetimeSeconds: 100 } }]
    expect(stateOf(entries, aliceSince(1))).toEqual({ taken: [], observed: [] })
  })
})

describe('restrict', () => {
  const restricted = (...terms: Terms[]): ReturnType<typeof fold> =>
    stateOf(terms.map((one): EntryParts => ({ effect: 'restrict', terms: one })))

  it.each<[string, Terms[], object]>([
    ['what one takes is taken', [{ take: ['a', 'b'] }], { taken: ['a', 'b'] }],
    ['takes add up', [{ take: ['a'] }, { take: ['b'] }], { taken: ['a', 'b'] }],
    ['only what is left is left', [{ leave: ['a'] }], { taken: [], left: ['a'] }],
    ['left is what all leave', [{ leave: ['a', 'b'] }, { leave: ['b', 'c'] }], { left: ['b'] }],
    ['nothing is left', [{ leave: ['a'] }, { leave: ['b'] }], { left: [] }],
    ['take beats leave', [{ leave: ['a', 'b'] }, { take: ['b'] }], { left: ['a'], taken: ['b'] }],
  ])('%s', (_, terms, grants) => {
    expect(restricted(...terms).grants).toMatchObject(grants)
    expect(restricted(...terms.toReversed()).grants).toMatchObject(grants)
  })

  const take: RuleEffect = { effect: 'restrict', terms: { take: ['files:write'] } }
  it.each<[string, readonly string[] | undefined, string, readonly string[] | undefined]>([
    ['nobody has said what is needed', undefined, 'refuse', undefined],
    ['nothing is needed', [], 'allow', undefined],
    ['the grant that is left is needed', ['files:read'], 'allow', undefined],
    ['the grant that is taken is needed', ['files:read', 'files:write'], 'refuse', ['files:write']],
  ])('where %s', async (_, requires, outcome, missing) => {
    const { enforcement } = await nodeWith(take)
    await enforcement.apply(revoked({ user: alice }))
    const decision = enforcement.check(aliceSince(-60), requires && { requires })
    expect(decision).toMatchObject({ outcome, effect: 'restrict' })
    expect(decision.outcome === 'allow' ? undefined : decision.missing).toEqual(missing)
    expect(enforcement.check(aliceSince(1)).outcome).toBe('allow')
  })
  it('leaves the grants that are named and no other', async () => {
    const { enforcement } = await nodeWith({ effect: 'restrict', terms: { leave: ['a'] } })
    await enforcement.apply(revoked({ user: alice }))
    const outcomeOf = (...requires: string[]): string =>
      enforcement.check(aliceSince(-60), { requires }).outcome
    expect([outcomeOf('a'), outcomeOf('b'), outcomeOf('a', 'b')]).toEqual([
      'allow',
      'refuse',
      'refuse',
    ])
  })
  it('is beside the grants that a session has at all', async () => {
    const { enforcement } = await nodeWith(take)
    const who = aliceSince(-60, { grants: ['files:read'] })
    expect(enforcement.check(who, { requires: ['files:write'] })).toMatchObject({
      outcome: 'refuse',
      missing: ['files:write'],
      causes: [],
    })
    expect(enforcement.check(who, { requires: ['files:read'] }).outcome).toBe('allow')
    expect(enforcement.check(who).outcome).toBe('allow')
  })
})

describe('reauthenticate', () => {
  const asking = (terms?: Terms): EntryParts[] => [
    { effect: 'reauthenticate', reaches: 'all', ...(terms && { terms }) },
  ]
  it.each([
    ['the class that is asked for', 'mid', undefined],
    ['a stronger class', 'high', undefined],
    ['a weaker class', 'low', 'reauthenticate'],
    ['a class that nobody knows', 'other', 'reauthenticate'],
    ['no class', undefined, 'reauthenticate'],
  ])('is met after T by %s as it should', (_, acr, effect) => {
    const who = aliceSince(10, acr === undefined ? {} : { acr })
    expect(stateOf(asking({ acr: 'mid' }), who).effect).toBe(effect)
  })
  it('is met by no class of before T', () => {
    expect(stateOf(asking({ acr: 'mid' }), aliceSince(0, { acr: 'high' })).effect).toBe(
      'reauthenticate',
    )
  })
  it('of a cut asks nothing of what began later', () => {
    const cut: EntryParts[] = [{ effect: 'reauthenticate', terms: { acr: 'mid' } }]
    expect(stateOf(cut, aliceSince(10)).effect).toBeUndefined()
  })
  it('of a class outside the order is met by that class alone', () => {
    const entries = asking({ acr: 'other' })
    expect(stateOf(entries, aliceSince(10, { acr: 'other' })).effect).toBeUndefined()
    expect(stateOf(entries, aliceSince(10, { acr: 'high' })).effect).toBe('reauthenticate')
  })
  it('asks again when the authentication is too old, by time alone', async () => {
    const condition: RuleEffect = { effect: 'reauthenticate', terms: { maxAgeSeconds: 100 } }
    const { enforcement, clock } = await nodeWith({ effect: 'suspend' }, condition)
    await enforcement.apply(notCompliant({ device: laptop }))
    const who = aliceSince(10)
    expect(seconds(enforcement.explain(who).expiresAt)).toBe(110)
    await clock.advance(50_000)
    expect(enforcement.check(who).outcome).toBe('allow')
    await clock.advance(1)
    expect(enforcement.check(who)).toMatchObject({
      outcome: 'challenge',
      effect: 'reauthenticate',
    })
    expect(enforcement.check(aliceSince(105)).outcome).toBe('allow')
  })
  it('asks for the strongest class and the smallest age of all that ask', async () => {
    const { enforcement, clock } = await startedNode({
      acrOrder: ['low', 'mid', 'high'],
      policy: createPolicy([
        { on: SessionRevoked, effect: 'reauthenticate', terms: { acr: 'high' } },
        {
          on: CredentialChange,
          effect: 'reauthenticate',
          terms: { acr: 'low', maxAgeSeconds: 30 },
        },
        { on: DeviceComplianceChange, effect: 'reauthenticate', terms: { maxAgeSeconds: 40 } },
      ]),
    })
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(passwordChanged({ user: alice }))
    await enforcement.apply(notCompliant({ device: laptop }))
    await clock.advance(3_600_000)
    const decision = enforcement.check(aliceSince(-60))
    if (decision.outcome === 'allow') throw new Error('it must not be allowed')
    const challenge = decision.response().headers.get('www-authenticate') ?? ''
    expect(challenge).toMatch(/acr_values="high"/)
    expect(challenge).toMatch(/max_age="?30\b/)
  })

  describe('with a grace period', () => {
    const graceful: RuleEffect = { effect: 'reauthenticate', terms: { graceSeconds: 300 } }
    const withHooks = async (lifted: string[]): Promise<TestNode> =>
      startedNode({
        policy: createPolicy([{ on: DeviceComplianceChange, ...graceful }]),
        hooks: {
          terminate: ({ cause }: HookCall) => lifted.push(`terminate ${cause.jti}`),
          reauthenticate: ({ cause }: HookCall) => lifted.push(`reauthenticate ${cause.jti}`),
        },
      })

    it('challenges before its end, and has ended the session after it', async () => {
      const { enforcement, clock } = await nodeWith(graceful)
      await enforcement.apply(revoked({ user: alice }))
      await clock.advance(240_000)
      expect(enforcement.check(aliceSince(-60)).outcome).toBe('challenge')
      await clock.advance(1)
      expect(enforcement.check(aliceSince(-60))).toMatchObject({
        outcome: 'refuse',
        effect: 'terminate',
      })
      expect(enforcement.explain(aliceSince(-60)).taken[0]?.restoredBy).toBe('new-session')
      expect(enforcement.check(aliceSince(1)).outcome).toBe('allow')
    })
    it('calls the hook "terminate" once, at its end', async () => {
      const calls: string[] = []
      const { enforcement, clock } = await withHooks(calls)
      const event = notCompliant({ device: laptop }, { jti: 'a' })
      await enforcement.apply(event)
      await enforcement.apply(event)
      await clock.advance(240_000)
      expect(calls).toEqual(['reauthenticate a'])
      await clock.advance(1)
      await clock.advance(1000)
      expect(calls).toEqual(['reauthenticate a', 'terminate a'])
      await enforcement.stop()
    })
    it('calls no hook "terminate" when it was lifted before', async () => {
      const calls: string[] = []
      const { enforcement, clock } = await withHooks(calls)
      await enforcement.apply(notCompliant({ device: laptop }, { jti: 'a' }))
      await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
      await clock.advance(1_000_000)
      expect(calls).toEqual(['reauthenticate a'])
      await enforcement.stop()
    })
    it('calls no hook "terminate" once enforcement has stopped', async () => {
      const calls: string[] = []
      const { enforcement, clock } = await withHooks(calls)
      await enforcement.apply(notCompliant({ device: laptop }, { jti: 'a' }))
      await enforcement.stop()
      await clock.advance(1_000_000)
      await settled()
      expect(calls).toEqual(['reauthenticate a'])
      expect(clock.sleepers).toBe(0)
    })
  })
})

describe('time that runs out', () => {
  it.each<[EntryParts, 'reauthenticate' | 'suspend']>([
    [{ effect: 'shorten', terms: { lifetimeSeconds: 10 } }, 'reauthenticate'],
    [{ effect: 'shorten', terms: { lifetimeSeconds: 10 } }, 'suspend'],
    [{ effect: 'reauthenticate', terms: { graceSeconds: 10 } }, 'reauthenticate'],
    [{ effect: 'reauthenticate', terms: { graceSeconds: 10 } }, 'suspend'],
  ])('of %j takes no more than a mandate allows: %s', (parts, hardest) => {
    const entry = entryWith(parts)
    const capped = { ...rules, authority: createAuthority({ [entry.cause.iss]: { hardest } }) }
    const session = readSession(aliceSince(-60), 30)
    expect(fold([entry], session, noon + 11, capped).effect).toBe(hardest)
    expect(fold([entry], session, noon + 11, rules).effect).toBe('terminate')
  })
})

describe('several effects', () => {
  it('combine to the hardest, in any order', () => {
    const entries: EntryParts[] = [
      { effect: 'shorten', terms: { lifetimeSeconds: 5000 } },
      { effect: 'restrict', terms: { take: ['a'] } },
      { effect: 'reauthenticate' },
      { effect: 'suspend' },
      { effect: 'terminate' },
    ]
    const names = entries.map((_, place) => {
      const some = entries.slice(0, place + 1)
      return [stateOf(some).effect, stateOf(some.toReversed()).effect]
    })
    expect(names).toEqual(entries.map(({ effect }) => [effect, effect]))
  })
  it('keep the milder ones’ terms: a restricted session can be shortened', async () => {
    const { enforcement } = await nodeWith(
      { effect: 'restrict', terms: { take: ['a'] } },
      { effect: 'shorten', terms: { lifetimeSeconds: 500 } },
    )
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(notCompliant({ device: laptop }))
    const decision = enforcement.check(aliceSince(-60), { requires: ['b'] })
    expect(decision).toMatchObject({
      outcome: 'allow',
      effect: 'restrict',
      grants: { taken: ['a'] },
    })
    expect(decision.outcome === 'allow' && seconds(decision.expiresAt)).toBe(500)
  })
  it('a login that another cause would refuse does not help', async () => {
    const { enforcement } = await nodeWith({ effect: 'terminate' }, { effect: 'suspend' })
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(notCompliant({ device: laptop }))
    expect(enforcement.explain(aliceSince(-60)).effect).toBe('terminate')
    expect(enforcement.check(aliceSince(30))).toMatchObject({ effect: 'suspend' })
  })
})
