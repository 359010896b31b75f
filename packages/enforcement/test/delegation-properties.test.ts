import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  issSub,
  opaque,
  type ComplexSubjectInput,
  type EventType,
  type SecurityEvent,
  type SubjectInput,
} from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import { AccountDisabled, AccountEnabled } from '@drawbridge/schema/risc'
import {
  agentKey,
  createEnforcement,
  createPolicy,
  memoryLedger,
  type Enforcement,
  type Who,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { at } from './delegation-chain.ts'
import { naiveEffect, type Doing } from './delegation-oracle.ts'
import { idp, noon, signal } from './signals.ts'

const policy = createPolicy([
  { on: SessionRevoked, effect: 'terminate' },
  { on: TokensRevoked, effect: 'terminate' },
  { on: CredentialChange, effect: 'reauthenticate' },
  { on: AccountDisabled, effect: 'suspend' },
  { on: DeviceComplianceChange, effect: 'restrict', terms: { take: ['write'] } },
])

const ids = (...names: readonly string[]) => fc.constantFrom(...names.map((name) => opaque(name)))
const some = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { nil: undefined })
const link = fc.constantFrom('session' as const, 'grant' as const)

/** The few names that there are, so that they often meet. */
const names = {
  session: ids('s-1', 's-2', 's-3'),
  device: ids('d-1', 'd-2'),
  token: ids('t-1', 't-2'),
  application: ids('a-1', 'a-2'),
  tenant: ids('acme', 'other'),
}

type Names = Readonly<Record<string, ReturnType<typeof opaque> | undefined>>

const without = (members: Names): ComplexSubjectInput =>
  Object.fromEntries(Object.entries(members).filter(([, one]) => one !== undefined))

const others = fc.record({
  session: some(names.session),
  device: some(names.device),
  token: some(names.token),
  application: some(names.application),
  tenant: some(names.tenant),
})

/** Somebody of a level: people on top, then agents, then helpers. */
const someone = (...users: readonly string[]): fc.Arbitrary<Who> =>
  fc
    .record({
      user: fc.constantFrom(...users.map((user) => issSub(idp, user))),
      members: others,
      began: fc.constantFrom(-60, 0, 3, 9, 20),
      endsWith: link,
    })
    .map(({ user, members, began, endsWith }) => ({
      subject: { user, ...without(members) },
      began: at(began),
      kind: 'agent',
      endsWith,
    }))

const levels = [
  someone('alice', 'bob'),
  someone('robot', 'bot'),
  someone('helper', 'aide'),
  someone('last'),
] as const

/** A chain of one to four, the last who acts first. */
const chains: fc.Arbitrary<Who> = fc.tuple(...levels, fc.nat(3)).map(([top, ...rest]) => {
  const count = rest.at(-1) as number
  const below = rest.slice(0, count) as Who[]
  return below.reduce<Who>((delegator, who) => ({ ...who, delegator }), top)
})

const users = ['alice', 'bob', 'robot', 'bot', 'helper', 'last'].map((name) => issSub(idp, name))
const subjects: fc.Arbitrary<SubjectInput> = fc
  .record({
    user: some(fc.constantFrom(...users)),
    actor: some(fc.constantFrom(...users)),
    members: others,
    kept: fc.subarray(Object.keys(names), { maxLength: 2 }),
  })
  .map(({ user, actor, members, kept }) => {
    const left = Object.entries(members).filter(([name]) => kept.includes(name))
    return without({ user, actor, ...Object.fromEntries(left) } as never)
  })
  // A subject of tenants alone needs a mandate.
  .filter((subject) => Object.keys(subject).some((name) => name !== 'tenant'))

interface Kind {
  readonly type: EventType
  readonly payload: object
  readonly doing: Doing
}

const kinds: readonly Kind[] = [
  {
    type: SessionRevoked,
    payload: {},
    doing: { cause: 'session-revoked', effect: 'terminate', isCut: true },
  },
  {
    type: TokensRevoked,
    payload: {},
    doing: { cause: 'tokens-revoked', effect: 'terminate', isCut: true, endsGrants: true },
  },
  {
    type: CredentialChange,
    payload: { credential_type: 'password', change_type: 'update' },
    doing: { cause: 'credential-change', effect: 'reauthenticate', isCut: true },
  },
  { type: AccountDisabled, payload: {}, doing: { cause: 'disabled', effect: 'suspend' } },
  {
    type: AccountEnabled,
    payload: {},
    doing: { cause: 'disabled', effect: 'none', isLift: true },
  },
]
const restricting: Kind = {
  type: DeviceComplianceChange,
  payload: { current_status: 'not-compliant' },
  doing: { cause: 'device', effect: 'none' },
}
const doingOf = ({ type }: SecurityEvent): Doing | undefined =>
  kinds.find((kind) => kind.type.uri === type)?.doing

const eventsOf = (of: readonly Kind[], on = subjects): fc.Arbitrary<readonly SecurityEvent[]> =>
  fc
    // Each at a time of its own: which of two at once is later, other tests say.
    .uniqueArray(fc.record({ seconds: fc.nat(30), kind: fc.constantFrom(...of), subject: on }), {
      minLength: 1,
      maxLength: 6,
      selector: ({ seconds }) => seconds,
    })
    .map((all) =>
      all.map(({ seconds, kind, subject }) =>
        signal(kind.type, subject, { at: noon + seconds, iat: noon + 40, payload: kind.payload }),
      ),
    )

async function nodeAfter(events: readonly SecurityEvent[]): Promise<Enforcement> {
  const clock = manualClock((noon + 60) * 1000)
  const enforcement = createEnforcement({ ledger: memoryLedger(), policy, clock })
  await enforcement.start()
  for (const event of events) await enforcement.apply(event)
  return enforcement
}

const chainOf = (who: Who): readonly Who[] =>
  who.delegator ? [who, ...chainOf(who.delegator)] : [who]

const requests = [undefined, [], ['read'], ['write']]
const allowed = ({ check }: Enforcement, who: Who): readonly string[] =>
  requests
    .filter((requires) => check(who, requires && { requires }).outcome === 'allow')
    .map((requires) => requires?.join() ?? 'undeclared')

const stateOf = ({ explain }: Enforcement, who: Who): unknown => {
  const { taken, observed: _, ...rest } = explain(who)
  return { ...rest, taken: taken.map((one) => JSON.stringify(one)).toSorted() }
}

const all = [...kinds, restricting]

describe('what acts for others, whatever signals come in whatever order', () => {
  it('is as a naive look at every event says', async () => {
    let hits = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(chains, { minLength: 1, maxLength: 6 }),
        eventsOf(kinds),
        async (sessions, events) => {
          const enforcement = await nodeAfter(events)
          for (const who of sessions) {
            const effect = enforcement.check(who).effect ?? 'none'
            expect(effect).toBe(naiveEffect(who, events, doingOf))
            if (effect !== 'none' && who.delegator) hits++
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(hits).toBeGreaterThan(60)
  })

  it('ends in the same state in any order, with what is repeated', async () => {
    const cases = eventsOf(all).chain((events) =>
      fc.tuple(
        fc.constant(events),
        fc.shuffledSubarray([...events, ...events.slice(0, 3)], { minLength: events.length }),
        fc.array(chains, { minLength: 1, maxLength: 4 }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ([events, arriving, sessions]) => {
        const missing = events.filter((event) => !arriving.includes(event))
        const one = await nodeAfter([...arriving, ...missing])
        const other = await nodeAfter(events)
        for (const who of sessions) expect(stateOf(one, who)).toEqual(stateOf(other, who))
      }),
      { numRuns: 150 },
    )
  })

  it('may never do more than without a delegator, more than its delegator, or more than by a grant', async () => {
    await fc.assert(
      fc.asyncProperty(chains, eventsOf(all), async (who, events) => {
        const enforcement = await nodeAfter(events)
        const { delegator, ...alone } = who
        if (!delegator) return
        const may = allowed(enforcement, who)
        expect(allowed(enforcement, alone)).toEqual(expect.arrayContaining([...may]))
        const [bySession, byGrant] = (['session', 'grant'] as const).map((endsWith) =>
          allowed(enforcement, { ...who, endsWith }),
        )
        expect(byGrant).toEqual(expect.arrayContaining([...(bySession ?? [])]))
        expect(allowed(enforcement, delegator)).toEqual(
          expect.arrayContaining([...(bySession ?? [])]),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('changes nothing for those above it, and for those beside it', async () => {
    let hits = 0
    await fc.assert(
      fc.asyncProperty(chains, someone('beside'), eventsOf(all), async (who, other, before) => {
        const { delegator } = who
        if (!delegator) return
        const enforcement = await nodeAfter(before)
        const beside: Who = { ...other, delegator }
        const above = chainOf(delegator)
        const rest = [...above, beside]
        const states = rest.map((one) => stateOf(enforcement, one))
        // One without a member of its own beside the user is told from others by it.
        const { user } = who.subject as ComplexSubjectInput
        await enforcement.take({ on: agentKey(who), cause: 'runaway', effect: 'suspend' })
        if (user) await enforcement.apply(signal(AccountDisabled, { user }, { at: noon + 50 }))
        expect(rest.map((one) => stateOf(enforcement, one))).toEqual(states)
        expect(enforcement.explain(who).taken.map(({ cause }) => cause.name)).toContain('runaway')
        hits++
      }),
      { numRuns: 200 },
    )
    expect(hits).toBeGreaterThan(80)
  })
})
