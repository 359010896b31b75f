import { describe, expect, it } from '@jest/globals'
import { complex, opaque, type SubjectInput } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled, CredentialCompromise } from '@drawbridge/schema/risc'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type EnforcementOptions,
  type Who,
} from '@drawbridge/enforcement'
import { effectsOn, sessionOf, user, watchedNode, type WatchedNode } from './blast-radius.ts'
import { idp, laptop, noon, notCompliant, passwordChanged, revoked, signal } from './signals.ts'

const glass = user('break-glass')
const tenant = opaque('t-1')

const guarded = (options: Partial<EnforcementOptions> = {}): Promise<WatchedNode> =>
  watchedNode({ protect: [glass], ...options })

const told = ({ acts }: WatchedNode): readonly object[] => acts.map(([, event]) => event)

describe('a protected account', () => {
  it.each([
    ['a signal that ends sessions', revoked({ user: glass })],
    ['a signal of one session', revoked({ user: glass, session: opaque('s-break-glass') })],
    ['a condition', signal(AccountDisabled, glass)],
  ])('is asked to authenticate again at most, by %s, and that is told', async (_, event) => {
    const node = await guarded()
    await node.enforcement.apply(event)
    expect(node.enforcement.check(sessionOf('break-glass'))).toMatchObject({
      outcome: 'challenge',
      effect: 'reauthenticate',
    })
    expect(node.enforcement.check(sessionOf('break-glass', 61)).outcome).toBe('allow')
    expect(node.acts).toMatchObject([['subject:protected', { cause: { jti: event.jti } }]])
  })
  it('is no other account', async () => {
    const node = await guarded()
    await node.enforcement.apply(revoked({ user: user('a') }))
    expect(effectsOn(node, ['a'])).toEqual(['terminate'])
    expect(node.acts).toEqual([])
  })
  it('is protected from the application’s own rules and operators', async () => {
    const node = await guarded()
    await node.enforcement.take({ on: glass, cause: 'incident', effect: 'terminate' })
    expect(effectsOn(node, ['break-glass'])).toEqual(['reauthenticate'])
    expect(told(node)).toMatchObject([{ effect: 'terminate' }])
  })
  it('keeps its grants, and lives on after the time that others have left', async () => {
    const node = await guarded({
      policy: createPolicy([
        { on: AccountDisabled, effect: 'restrict', terms: { leave: [] } },
        { on: SessionRevoked, effect: 'shorten', terms: { lifetimeSeconds: 10 } },
      ]),
    })
    await node.enforcement.apply(signal(AccountDisabled, glass))
    await node.enforcement.apply(revoked({ user: glass }))
    const later = sessionOf('break-glass', 55)
    expect(effectsOn(node, ['break-glass'])).toEqual(['reauthenticate'])
    expect(node.enforcement.check(later, { requires: ['admin'] }).outcome).toBe('allow')
  })
  it('is found in what is said of a device or a tenant', async () => {
    const node = await guarded({
      protect: [complex({ user: glass, tenant })],
      mandates: { [idp]: { tenants: [tenant] } },
    })
    const who = (id: string): Who => ({
      ...sessionOf(id),
      subject: complex({ user: user(id), device: laptop, tenant }),
    })
    await node.enforcement.apply(revoked({ tenant }))
    await node.enforcement.apply(notCompliant({ device: laptop }))
    const effectOf = (id: string) => node.enforcement.check(who(id)).effect
    expect([effectOf('break-glass'), effectOf('a')]).toEqual(['reauthenticate', 'terminate'])
    // What names the tenant names the account; of the device nobody has said whose it is.
    expect(told(node)).toMatchObject([{ subject: { tenant } }])
  })
  it('is told of where the application’s sessions show it', async () => {
    const node = await guarded({ sessions: () => [sessionOf('a'), sessionOf('break-glass')] })
    await node.enforcement.apply(revoked({ session: opaque('s-break-glass') }))
    await node.clock.advance(0)
    expect(told(node)).toMatchObject([{ effect: 'terminate' }])
    await node.enforcement.apply(revoked({ session: opaque('s-a') }))
    await node.clock.advance(0)
    expect(told(node)).toHaveLength(1)
  })
  it('is told of once for each signal, and not for one that asks for a login alone', async () => {
    const node = await guarded()
    const event = revoked({ user: glass })
    await node.enforcement.apply(event)
    await node.enforcement.apply(event)
    await node.enforcement.apply(passwordChanged({ user: glass }))
    expect(told(node)).toHaveLength(1)
  })
  it('meets the hook of a new authentication, and of nothing that destroys', async () => {
    const calls: string[] = []
    const call = ({ name }: { name: string }): void => void calls.push(name)
    const hooks = { terminate: call, suspend: call, reauthenticate: call, rotate: call }
    const node = await guarded({ hooks })
    const payload = { credential_type: 'password' }
    await node.enforcement.apply(revoked({ user: glass }))
    await node.enforcement.apply(signal(AccountDisabled, glass))
    await node.enforcement.apply(signal(CredentialCompromise, glass, { payload }))
    await node.enforcement.stop()
    expect(calls).toEqual(['reauthenticate', 'reauthenticate', 'reauthenticate'])
  })
  it('is a user, and not whatever else is called the same', async () => {
    const node = await guarded({ protect: [tenant] })
    await node.enforcement.apply(revoked({ user: user('a') }))
    const who = { ...sessionOf('a'), subject: complex({ user: user('a'), tenant }) }
    expect(node.enforcement.check(who).effect).toBe('terminate')
  })
  it('is nothing to tell of where the Transmitter is only observed', async () => {
    const node = await guarded({ mandates: { [idp]: { mode: 'observe' } } })
    await node.enforcement.apply(revoked({ user: glass }))
    expect(node.acts).toEqual([])
  })
  it('is not among the sessions that a hook for a whole tenant finds', async () => {
    const who = (id: string): Who => ({
      ...sessionOf(id),
      subject: complex({ user: user(id), tenant }),
    })
    const found: unknown[] = []
    const node = await guarded({
      mandates: { [idp]: { tenants: [tenant] } },
      sessions: () => [who('a'), who('break-glass')],
      hooks: { terminate: async ({ sessions }) => found.push(...(await sessions())) },
    })
    await node.enforcement.apply(revoked({ tenant }, { at: noon }))
    await node.enforcement.stop()
    expect(found).toEqual([who('a')])
  })
  it.each<[string, SubjectInput, string]>([
    ['a tenant', complex({ tenant }), 'must name somebody'],
    ['nothing', {}, 'protect[0]'],
  ])('cannot be %s', (_, one, text) => {
    const options = { ledger: memoryLedger(), policy: recommendedPolicy(), protect: [one] }
    expect(() => createEnforcement(options)).toThrow(text)
    expect(() => createEnforcement({ ...options, protect: one as never })).toThrow(
      '"protect" must be an array',
    )
  })
})
