import { describe, expect, it } from '@jest/globals'
import { issSub, jwtId, opaque, type SubjectInput } from '@drawbridge/schema'
import { AccountDisabled, AccountEnabled } from '@drawbridge/schema/risc'
import { agentKey, prepare, type EndsWith, type Who } from '@drawbridge/enforcement'
import {
  agentOf,
  at,
  chainOf,
  effectsOf,
  gateway,
  helper,
  helperOf,
  human,
  named,
  phone,
  robot,
  webApp,
} from './delegation-chain.ts'
import { alice, idp, laptop, noon, revoked, signal, startedNode } from './signals.ts'

const bob = issSub(idp, 'bob')
const none = 'none'

/** What a signal about a subject leaves of each. */
async function afterRevoking(on: SubjectInput, ...all: readonly Who[]): Promise<readonly string[]> {
  const { enforcement } = await startedNode()
  await enforcement.apply(revoked(on))
  return effectsOf(enforcement, ...all)
}

async function afterDisabling(
  on: SubjectInput,
  ...all: readonly Who[]
): Promise<readonly string[]> {
  const { enforcement } = await startedNode()
  await enforcement.apply(signal(AccountDisabled, on))
  return effectsOf(enforcement, ...all)
}

describe('what a signal takes from a delegator', () => {
  const whole = [human(), agentOf(), helperOf()]

  it.each<[string, SubjectInput]>([
    ['her account', { user: alice }],
    ['her session', { session: opaque('s-1') }],
    ['her device', { device: laptop }],
  ])('is taken all the way down: %s', async (_, on) => {
    expect(await afterRevoking(on, ...whole)).toEqual(['terminate', 'terminate', 'terminate'])
  })

  it.each<[string, SubjectInput]>([
    ['the agent', { user: robot }],
    ['the token of the agent', { token: jwtId(idp, 'at-1') }],
    ['the task', { task: opaque('t-1') }],
    ['the agent for her', { user: alice, actor: robot }],
    ['the client for her', { user: alice, application: gateway }],
    ['the agent, at her session', { session: opaque('s-1'), actor: robot }],
    ['all that stays the same of the agent', agentKey(agentOf())],
  ])('is taken from there down, and never from above: %s', async (_, on) => {
    expect(await afterRevoking(on, ...whole)).toEqual([none, 'terminate', 'terminate'])
  })

  it.each<[string, SubjectInput]>([
    ['the helper', { user: helper }],
    ['the session of the helper', { session: opaque('h-1') }],
    ['the helper for her', { user: alice, actor: helper }],
    ['the helper for the agent', { user: robot, actor: helper }],
    ['all that stays the same of the helper', agentKey(helperOf())],
  ])('is taken from the last alone: %s', async (_, on) => {
    expect(await afterRevoking(on, ...whole)).toEqual([none, none, 'terminate'])
  })

  it('is taken from none that act for somebody else, or beside it', async () => {
    const sibling = agentOf(human(), { subject: { user: issSub(idp, 'other-robot') } })
    const ofBob = agentOf(human({ subject: { user: bob } }))
    const others = [sibling, ofBob]
    expect(await afterRevoking({ user: alice, actor: robot }, ...others)).toEqual([none, none])
    expect(await afterRevoking(agentKey(agentOf()), ...others)).toEqual([none, none])
    expect(await afterRevoking({ user: bob }, sibling, agentOf(), ofBob)).toEqual([
      none,
      none,
      'terminate',
    ])
    expect(await afterDisabling({ user: robot }, human(), sibling)).toEqual([none, none])
  })

  const links: readonly (readonly [EndsWith, EndsWith, ...string[]])[] = [
    // Of what rests on what: a cut of her session, one of the agent's token, her account disabled.
    ['session', 'session', 'terminate', 'terminate', 'suspend'],
    ['session', 'grant', none, none, 'suspend'],
    ['grant', 'session', none, 'terminate', 'suspend'],
    ['grant', 'grant', none, none, 'suspend'],
  ]
  it.each(links)('by way of a %s and then a %s', async (first, second, ...expected) => {
    const last = chainOf(first, second)
    const effects = [
      ...(await afterRevoking({ session: opaque('s-1') }, last)),
      ...(await afterRevoking({ token: jwtId(idp, 'at-1') }, last)),
      ...(await afterDisabling({ user: alice }, last)),
    ]
    expect(effects).toEqual(expected)
    expect(await afterDisabling({ user: robot }, last)).toEqual(['suspend'])
  })
  it('by way of a grant: no name of a session above it reaches what is below', async () => {
    for (const on of [{ session: opaque('s-1') }, { device: laptop }]) {
      const all = [chainOf('session', 'grant'), chainOf('grant', 'session')]
      expect(await afterRevoking(on, ...all)).toEqual([none, none])
    }
    const ofAgent = { user: alice, token: jwtId(idp, 'at-1') }
    expect(await afterRevoking(ofAgent, agentOf(), chainOf('session', 'grant'))).toEqual([
      'terminate',
      none,
    ])
  })
  it('is given back by the same counter-signal, all the way down', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(signal(AccountDisabled, { user: alice }))
    expect(effectsOf(enforcement, ...whole)).toEqual(['suspend', 'suspend', 'suspend'])
    await enforcement.apply(signal(AccountEnabled, { user: alice }, { at: noon + 1 }))
    expect(effectsOf(enforcement, ...whole)).toEqual([none, none, none])
  })
})

describe('the names of two that stand in one line', () => {
  it('are each of use: of the same kind, and together with the others', async () => {
    const onPhone = named(agentOf(), { device: phone, session: opaque('a-1') })
    const subjects: readonly SubjectInput[] = [
      { user: alice, application: gateway },
      { user: alice, application: webApp },
      { user: alice, session: opaque('a-1') },
      { user: alice, session: opaque('s-1'), application: gateway },
      { user: alice, device: phone, session: opaque('s-1') },
    ]
    for (const on of subjects)
      expect([on, await afterRevoking(on, onPhone)]).toEqual([on, ['terminate']])
    const mixed = { user: robot, device: laptop }
    expect(await afterRevoking(mixed, onPhone)).toEqual([none])
  })
  it('name one session by its id, whenever any of the two began', async () => {
    const later = { began: at(30) }
    const who = named(agentOf(human(later), later), { session: opaque('a-1') })
    for (const session of [opaque('a-1'), opaque('s-1')]) {
      expect(await afterRevoking({ user: alice, session }, who)).toEqual(['terminate'])
    }
    expect(await afterRevoking({ user: alice }, who)).toEqual([none])
  })
  it('are those of the actor by its user, whatever it calls an actor itself', async () => {
    const who = named(agentOf(), { actor: opaque('model-9') })
    expect(await afterRevoking({ user: alice, actor: robot }, who)).toEqual(['terminate'])
    expect(await afterRevoking({ user: robot, actor: opaque('model-9') }, who)).toEqual([
      'terminate',
    ])
  })
  it('are each of use where they name two tenants, and rules ask for one', async () => {
    const [hers, its] = [opaque('t-hers'), opaque('t-its')]
    const who = named(agentOf(named(human(), { tenant: hers })), { tenant: its })
    for (const tenant of [hers, its]) {
      expect(await afterRevoking({ user: alice, tenant }, who)).toEqual(['terminate'])
      for (const tenants of [[hers], [its]]) {
        const { enforcement } = await startedNode({ mandates: { [idp]: { tenants } } })
        await enforcement.apply(revoked({ user: alice }))
        expect(effectsOf(enforcement, who)).toEqual(['terminate'])
      }
    }
  })
  it.each([
    ['a simple delegator', agentOf(human({ subject: alice }))],
    ['a simple agent', agentOf(human(), { subject: robot })],
    ['both simple', agentOf(human({ subject: alice }), { subject: robot })],
  ])('are found where the subject says no more than one: %s', async (_, who) => {
    expect(await afterRevoking(alice, who)).toEqual(['terminate'])
    expect(await afterRevoking({ user: alice }, who)).toEqual(['terminate'])
    expect(await afterRevoking({ user: alice, actor: robot }, who)).toEqual(['terminate'])
    expect(await afterRevoking({ user: bob, actor: robot }, who)).toEqual([none])
  })
  it('are the member that a simple one equals, whatever that is called', async () => {
    const who = agentOf(human({ subject: opaque('s-9'), issuer: idp }))
    expect(await afterRevoking({ session: opaque('s-9') }, who)).toEqual(['terminate'])
  })
})

describe('a chain that is none', () => {
  const loop: { -readonly [Name in keyof Who]: Who[Name] } = human()
  loop.delegator = loop
  const first: { -readonly [Name in keyof Who]: Who[Name] } = human()
  first.delegator = agentOf(first)
  const links = (count: number): Who =>
    Array.from({ length: count }).reduce<Who>(
      (who, _, place) => agentOf(who, { subject: { user: issSub(idp, `agent-${place}`) } }),
      human(),
    )
  const session = { session: opaque('s-1') }
  const twice = agentOf(agentOf(human(), { subject: { user: bob } }), {
    subject: { format: 'complex', user: bob },
  })
  const bad = (delegator: unknown): Who => ({ ...agentOf(), delegator: delegator as Who })
  const { subject: _, ...nobody } = human()

  it.each<[string, Who, string]>([
    ['one that acts for itself', agentOf(agentOf()), '"who.delegator.subject" must not come twice'],
    ['A for B for A', agentOf(helperOf(agentOf())), '"who.delegator.delegator.subject" must not'],
    ['an object in itself', loop, '"who.delegator.subject" must not come twice'],
    ['two objects in each other', first, '"who.delegator.delegator.subject" must not come twice'],
    ['one that is written in two ways', twice, '"who.delegator.subject" must not come twice'],
    [
      'one simple name twice',
      agentOf(agentOf(human(), { subject: robot }), { subject: robot }),
      '"who.delegator.subject" must not come twice',
    ],
    [
      'one session twice',
      agentOf(human({ subject: session, issuer: idp }), { subject: session, issuer: idp }),
      '"who.delegator.subject" must not come twice',
    ],
    ['17 links', links(17), '"who.delegator" must not have more than 16 delegators in a row'],
    ['null', bad(null), '"who.delegator" must be who delegated'],
    ['a text', bad('alice'), '"who.delegator" must be who delegated'],
    ['a list', bad([]), '"who.delegator.began" must be a valid Date'],
    ['a function', bad(human), '"who.delegator" must be who delegated'],
    ['no subject', bad(nobody), '"who.delegator.subject"'],
    ['an empty subject', bad(human({ subject: {} })), '"who.delegator.subject"'],
    ['no date', bad({ ...human(), began: 1 }), '"who.delegator.began" must be a valid Date'],
    ['an empty issuer', bad(human({ issuer: '' })), '"who.delegator.issuer" must say who logged'],
    ['a kind', bad({ ...human(), kind: 'robot' }), '"who.delegator.kind" must be one of'],
    [
      'a link',
      bad({ ...agentOf(), endsWith: 'never' }),
      '"who.delegator.endsWith" must be session',
    ],
    [
      'far up',
      agentOf(bad({ ...human(), acr: 7 }), { subject: helper }),
      '"who.delegator.delegator.acr"',
    ],
  ])('is refused by name: %s', async (...[, who, mistake]) => {
    const { enforcement } = await startedNode()
    const ways: (() => unknown)[] = [
      () => enforcement.check(who),
      () => enforcement.signal(who),
      () => enforcement.explain(who),
      () => prepare(who),
      () => agentKey(who),
    ]
    for (const way of ways) {
      expect(way).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
      expect(way).toThrow(mistake)
    }
  })
  it.each([null, undefined, 'alice', 7])('is nobody at all: %p', async (value) => {
    const { check, explain, signal } = (await startedNode()).enforcement
    for (const way of [prepare, agentKey, check, explain, signal]) {
      expect(() => way(value as never)).toThrow('check: "who" must be an object')
    }
  })
  it('is one with 16 links', async () => {
    const { enforcement } = await startedNode()
    expect(enforcement.check(links(16)).outcome).toBe('allow')
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(links(16)).effect).toBe('terminate')
  })
  it('is one where two of the chain have a text in common, and are two', async () => {
    const { enforcement } = await startedNode()
    const namesake = agentOf(human({ subject: { user: alice } }), {
      subject: { user: issSub('https://agents.example', 'alice') },
    })
    expect(enforcement.check(namesake).outcome).toBe('allow')
  })
  it('begins nowhere in the future, by any link', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(revoked({ user: robot }))
    const late = at(9e8)
    expect(() => enforcement.check(agentOf(human({ began: late })))).toThrow(
      'check: "who.delegator.began" must not be in the future',
    )
    expect(() => enforcement.check(helperOf(agentOf(human(), { began: late })))).toThrow(
      '"who.delegator.began" must not',
    )
    expect(() => enforcement.check(helperOf(agentOf(human({ began: late }))))).toThrow(
      '"who.delegator.delegator.began" must not',
    )
  })
})
