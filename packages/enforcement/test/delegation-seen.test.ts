import { describe, expect, it } from '@jest/globals'
import { opaque } from '@drawbridge/schema'
import { AccountDisabled, AccountEnabled } from '@drawbridge/schema/risc'
import {
  dataBoundary,
  memorySessions,
  type AccessEndedError,
  type HookCall,
  type RegisteredSession,
  type Who,
} from '@drawbridge/enforcement'
import { settled } from '@drawbridge/testkit'
import { user, watchedNode } from './blast-radius.ts'
import {
  agentOf,
  at,
  chainOf,
  effectsOf,
  helperOf,
  human,
  named,
  robot,
  webApp,
} from './delegation-chain.ts'
import { alice, idp, laptop, noon, revoked, signal, startedNode } from './signals.ts'

const none = 'none'
const byGrant = agentOf(human(), { endsWith: 'grant' })

describe('a signal for what goes on without asking', () => {
  it('aborts when one far above is hit, and not when one below is', async () => {
    const { enforcement } = await startedNode()
    const all = [human(), agentOf(), helperOf(), byGrant]
    const signals = all.map((who) => enforcement.signal(who))
    const aborted = (): readonly boolean[] => signals.map((one) => one.aborted)
    await enforcement.apply(revoked({ session: opaque('h-1') }))
    expect(aborted()).toEqual([false, false, true, false])
    await enforcement.apply(revoked({ session: opaque('s-1') }))
    expect(aborted()).toEqual([true, true, true, false])
    await enforcement.apply(signal(AccountDisabled, { user: alice }))
    expect(aborted()).toEqual([true, true, true, true])
    const { reason } = signals[1] ?? {}
    expect((reason as AccessEndedError).effect).toBe('terminate')
  })
  it('aborts when only the device of a far delegator is named', async () => {
    const { enforcement } = await startedNode()
    const watched = enforcement.signal(helperOf())
    await enforcement.apply(revoked({ device: laptop }))
    expect(watched.aborted).toBe(true)
  })
  it('is not shared by those who act for others, or by another kind of link', async () => {
    const { enforcement } = await startedNode()
    const bobs = agentOf(human({ subject: { user: user('bob') } }))
    const [hers, his, granted] = [agentOf(), bobs, byGrant].map((who) => enforcement.signal(who))
    expect(enforcement.signal(agentOf())).toBe(hers)
    await enforcement.apply(revoked({ user: alice }))
    expect([hers?.aborted, his?.aborted, granted?.aborted]).toEqual([true, false, false])
  })
})

describe('what is told of a session that acts for another', () => {
  it('explains by whom it was inherited, and what is its own', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(signal(AccountDisabled, { user: alice }, { jti: 'above' }))
    await enforcement.apply(signal(AccountDisabled, { user: robot }, { jti: 'itself' }))
    const byJti = (who: Who): Readonly<Record<string, unknown>> =>
      Object.fromEntries(
        enforcement.explain(who).taken.map(({ cause, delegator }) => [cause.jti, delegator]),
      )
    expect(byJti(agentOf())).toEqual({
      above: expect.objectContaining({ user: alice, actor: robot }),
      itself: undefined,
    })
    expect(byJti(helperOf())).toEqual({
      above: expect.objectContaining({ user: alice }),
      itself: expect.objectContaining({ user: robot }),
    })
    expect(byJti(human())).toEqual({ above: undefined })
  })
  it('names them as they were written, where both have the same name for something', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }))
    const inWebApp = named(agentOf(), { application: webApp })
    const [taken] = enforcement.explain(inWebApp).taken
    expect(taken?.delegator).toMatchObject({ user: alice, application: webApp })
  })
  it('finds the entries of all in the chain', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ session: opaque('s-1') }, { jti: 'hers' }))
    await enforcement.apply(revoked({ user: robot }, { jti: 'its' }))
    const jtis = (who: Who): readonly string[] =>
      enforcement
        .entriesFor(who)
        .map(({ cause }) => cause.jti)
        .toSorted()
    expect(jtis(helperOf())).toEqual(['hers', 'its'])
    expect(jtis(agentOf())).toEqual(['hers', 'its'])
    expect(jtis(human())).toEqual(['hers'])
  })
  it('can be told before it happens', async () => {
    const { enforcement } = await startedNode()
    const event = revoked({ user: alice })
    const runs = await enforcement.dryRun(event, [human(), agentOf(), byGrant])
    expect(runs.map(({ before, after }) => [before.effect, after.effect])).toEqual([
      [undefined, 'terminate'],
      [undefined, 'terminate'],
      [undefined, undefined],
    ])
    expect(runs[1]?.after.taken[0]?.delegator).toMatchObject({ user: alice })
    expect(effectsOf(enforcement, agentOf())).toEqual([none])
  })
})

describe('operators', () => {
  const byBob = agentOf(human({ subject: { user: user('bob') } }))
  it('see what is above a budget suspended for those below as well, until they confirm', async () => {
    const node = await watchedNode({
      mandates: { [idp]: { budget: { principals: 1, perSeconds: 600 } } },
    })
    await node.enforcement.apply(revoked({ user: alice }))
    await node.enforcement.apply(revoked({ user: user('bob') }))
    expect(effectsOf(node.enforcement, agentOf(), byBob)).toEqual(['terminate', 'suspend'])
    await node.enforcement.confirm(idp)
    expect(effectsOf(node.enforcement, byBob, helperOf(byBob))).toEqual(['terminate', 'terminate'])
  })
  it('stop a Transmitter, also for what would be inherited', async () => {
    const node = await watchedNode()
    await node.enforcement.quarantine(idp, { reason: 'it is not itself' })
    await node.enforcement.apply(revoked({ user: alice }))
    expect(node.enforcement.check(agentOf())).toMatchObject({ outcome: 'allow', observed: [{}] })
  })
  it('undo for all that inherited it', async () => {
    const node = await watchedNode()
    await node.enforcement.apply(signal(AccountDisabled, { user: alice }))
    const all = [human(), agentOf(), helperOf(), byGrant]
    expect(new Set(effectsOf(node.enforcement, ...all))).toEqual(new Set(['suspend']))
    await node.enforcement.undo({ iss: idp, since: new Date(0) })
    expect(new Set(effectsOf(node.enforcement, ...all))).toEqual(new Set([none]))
  })
})

describe('a rule that looks at requests', () => {
  const rule = dataBoundary({ grants: ['secrets:read'], effect: 'suspend' })
  it.each<[string, Who]>([
    ['a subject of members', agentOf()],
    ['a simple delegator', agentOf(human({ subject: alice }))],
    ['a simple agent', agentOf(human(), { subject: robot })],
    ['an upstream token', agentOf(human(), { subject: { token: opaque('up-1') }, issuer: idp })],
  ])('takes from what asked, and from nobody on whose behalf it did: %s', async (_, who) => {
    const { enforcement } = await startedNode({ requestRules: [rule] })
    const sibling = agentOf(who.delegator, { subject: { user: user('other-robot') } })
    expect(enforcement.check(who, { requires: ['secrets:read'] }).effect).toBe('suspend')
    expect(effectsOf(enforcement, who, who.delegator ?? who, sibling)).toEqual([
      'suspend',
      none,
      none,
    ])
  })
  it('takes from a fresh token and from what the agent has called in', async () => {
    const { enforcement } = await startedNode({ requestRules: [rule] })
    enforcement.check(agentOf(), { requires: ['secrets:read'] })
    const fresh = named(agentOf(human(), { began: at(50) }), { token: opaque('at-2') })
    expect(effectsOf(enforcement, fresh, helperOf(), human())).toEqual(['suspend', 'suspend', none])
  })
})

describe('hooks', () => {
  const login = (id: string, who: Who): RegisteredSession => ({ ...who, id })
  const all = [
    login('hers', human()),
    login('agent', agentOf()),
    login('helper', helperOf()),
    login('granted', byGrant),
    login('below-grant', chainOf('grant', 'session')),
    login('bobs', agentOf(human({ subject: { user: user('bob') } }))),
  ]

  it('find all that rests on what was taken, and nothing else', async () => {
    const store = memorySessions()
    for (const one of all) await store.put(one)
    const found: Record<string, readonly unknown[]> = {}
    const taken: Record<string, readonly string[]> = {}
    const note = async (call: HookCall): Promise<void> => {
      const ids = (await call.sessions()).map((who) => (who as RegisteredSession).id)
      found[call.name] = ids.toSorted()
      taken[call.name] = all.filter((one) => call.takesFrom(one)).map(({ id }) => id)
    }
    const { enforcement, told } = await startedNode({
      sessions: store.find,
      hooks: { terminate: note, suspend: note, restore: note },
    })
    await enforcement.apply(revoked({ session: opaque('s-1') }))
    await enforcement.apply(signal(AccountDisabled, { user: alice }))
    await settled()
    await enforcement.apply(signal(AccountEnabled, { user: alice }, { at: noon + 1 }))
    await settled()
    await enforcement.stop()
    const ofAlice = ['agent', 'below-grant', 'granted', 'helper', 'hers']
    expect(found).toEqual({
      terminate: ['agent', 'helper', 'hers'],
      suspend: ofAlice,
      restore: ofAlice,
    })
    expect(taken).toMatchObject({ terminate: ['hers', 'agent', 'helper'] })
    expect(told('signal:unmatched')).toEqual([])
  })
  it('count a signal that only those who act for somebody are reached by', async () => {
    const store = memorySessions()
    await store.put(login('agent', agentOf()))
    const { enforcement, told } = await startedNode({ sessions: store.find })
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(revoked({ user: user('carol') }))
    await settled()
    expect(told('signal:unmatched')).toMatchObject([{ subject: { user: user('carol') } }])
  })
  it('are told where what acts is of a break-glass account', async () => {
    const store = memorySessions()
    await store.put(login('agent', agentOf()))
    const node = await watchedNode({ sessions: store.find, protect: [alice] })
    await node.enforcement.apply(revoked({ device: laptop }))
    await settled()
    expect(node.acts).toMatchObject([['subject:protected', { effect: 'terminate' }]])
    expect(effectsOf(node.enforcement, agentOf())).toEqual(['reauthenticate'])
  })
})
