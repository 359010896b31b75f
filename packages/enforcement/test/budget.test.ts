import { describe, expect, it } from '@jest/globals'
import {
  createEnforcement,
  createPolicy,
  enforcementMetrics,
  memoryLedger,
  recommendedPolicy,
  type Budget,
  type EnforcementOptions,
  type Ledger,
} from '@drawbridge/enforcement'
import { complex, opaque, StorageError } from '@drawbridge/schema'
import { CredentialChange, SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled, AccountEnabled, CredentialCompromise } from '@drawbridge/schema/risc'
import { effectsOn, sessionOf, user, watchedNode, type WatchedNode } from './blast-radius.ts'
import { idp, noon, passwordChanged, revoked, signal } from './signals.ts'

const two: Budget = { principals: 2, perSeconds: 600 }
const tenant = opaque('t-1')

const nodeWith = (
  budget: Budget,
  options: Partial<EnforcementOptions> = {},
): Promise<WatchedNode> => watchedNode({ mandates: { [idp]: { budget } }, ...options })

const limited = (options: Partial<EnforcementOptions> = {}): Promise<WatchedNode> =>
  watchedNode({ mandates: { [idp]: { budget: two } }, ...options })

const revoke = async ({ enforcement }: WatchedNode, ...ids: readonly string[]): Promise<void> => {
  for (const id of ids) await enforcement.apply(revoked({ user: user(id) }))
}

const exceeded = ['budget:exceeded', { iss: idp, principals: 2, windowSeconds: 600 }]

describe('a budget', () => {
  it('is what is terminated; above it is suspended, nothing is dropped, and one alarm told', async () => {
    const node = await limited()
    await revoke(node, 'a', 'b')
    expect(node.acts).toEqual([])
    await revoke(node, 'c', 'd', 'e')
    expect(effectsOn(node, ['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([
      'terminate',
      'terminate',
      'suspend',
      'suspend',
      'suspend',
      'none',
    ])
    expect(node.acts).toEqual([exceeded])
    expect(node.told('signal:applied').map(({ held }) => held)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })
  it('is seen in the explanation: an operator gives back what is above it', async () => {
    const node = await limited()
    await revoke(node, 'a', 'b', 'c')
    const takenFrom = (id: string) => node.enforcement.explain(sessionOf(id)).taken
    expect(takenFrom('c')).toMatchObject([{ effect: 'suspend', awaitsOperator: true }])
    expect(takenFrom('a')[0]).not.toHaveProperty('awaitsOperator')
    await node.enforcement.confirm(idp)
    expect(takenFrom('c')).toMatchObject([{ effect: 'terminate' }])
    expect(takenFrom('c')[0]).not.toHaveProperty('awaitsOperator')
  })
  it('holds for signals that come at the same moment', async () => {
    const node = await limited()
    const ids = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(ids.map((id) => node.enforcement.apply(revoked({ user: user(id) }))))
    const count = effectsOn(node, ids).filter((effect) => effect === 'terminate').length
    expect(count).toBe(2)
    expect(node.acts).toEqual([exceeded])
  })
  it('keeps hooks of terminate from what is above it', async () => {
    const calls: string[] = []
    const call = ({ name, subject }: { name: string; subject: object }): void => {
      const { user: whom } = subject as { user: { sub: string } }
      calls.push(`${name} ${whom.sub}`)
    }
    const node = await limited({ hooks: { terminate: call, suspend: call } })
    await revoke(node, 'a', 'b', 'c')
    await node.enforcement.stop()
    expect(calls).toEqual(['terminate a', 'terminate b', 'suspend c'])
  })
  it('counts each principal once', async () => {
    const node = await limited()
    for (const session of ['s-1', 's-2', 's-3', 's-4']) {
      await node.enforcement.apply(revoked({ user: user('a'), session: opaque(session) }))
    }
    await revoke(node, 'b')
    expect(node.acts).toEqual([])
  })
  it('is of a window that moves along, and no overrun ends with it', async () => {
    const node = await limited()
    await revoke(node, 'a')
    await node.clock.advance(400_000)
    await revoke(node, 'b')
    await node.clock.advance(200_000)
    await revoke(node, 'c')
    expect(node.acts).toEqual([])
    await revoke(node, 'd')
    expect(node.acts).toEqual([exceeded])
    await node.clock.advance(9_000_000)
    await revoke(node, 'e')
    expect(effectsOn(node, ['c', 'd', 'e'])).toEqual(['terminate', 'suspend', 'suspend'])
    expect(node.acts).toHaveLength(1)
  })
  it('has room for who is in it already, and for nobody that was held', async () => {
    const node = await limited()
    await revoke(node, 'a', 'b')
    await node.enforcement.apply(revoked({ user: user('a') }, { at: noon + 1 }))
    expect(node.acts).toEqual([])
    await node.clock.advance(100_000)
    await revoke(node, 'c')
    await node.enforcement.release(idp)
    await node.clock.advance(550_000)
    await revoke(node, 'd', 'e')
    expect(effectsOn(node, ['d', 'e'])).toEqual(['terminate', 'terminate'])
  })
  it('forgets each principal when the time for that one is over', async () => {
    const node = await limited()
    await revoke(node, 'a')
    await node.clock.advance(100_000)
    await revoke(node, 'b')
    await node.clock.advance(400_000)
    await node.enforcement.apply(revoked({ user: user('a') }, { at: noon + 1 }))
    await node.clock.advance(210_000)
    await revoke(node, 'c')
    expect(effectsOn(node, ['c'])).toEqual(['terminate'])
  })
  it('begins one overrun, however much follows', async () => {
    const ledger = memoryLedger()
    const node = await limited({ ledger })
    const overruns = async () => (await ledger.readAll()).filter(({ act }) => act)
    await revoke(node, 'a', 'b', 'c')
    const [first, ...others] = await overruns()
    expect([first?.act, others]).toEqual([{ name: 'overrun', iss: idp }, []])
    await revoke(node, 'd')
    expect(await overruns()).toEqual([first])
  })
  it('is of one Transmitter, and not of the application', async () => {
    const other = 'https://other.example'
    const node = await limited()
    await revoke(node, 'a', 'b', 'c')
    await node.enforcement.apply(revoked({ user: user('x') }, { iss: other }))
    await node.enforcement.take({ on: user('y'), cause: 'incident', effect: 'terminate' })
    const who = { ...sessionOf('x'), issuer: other }
    expect(node.enforcement.check(who).effect).toBe('terminate')
    expect(effectsOn(node, ['y'])).toEqual(['terminate'])
  })
  it('counts nothing milder, nothing that is lifted, and nothing of a Transmitter in observation', async () => {
    const node = await limited()
    for (const id of ['a', 'b', 'c']) {
      await node.enforcement.apply(passwordChanged({ user: user(id) }))
      await node.enforcement.apply(signal(AccountDisabled, user(id)))
      await node.enforcement.apply(signal(AccountEnabled, user(id), { at: noon + 1 }))
    }
    const observed = await watchedNode({ mandates: { [idp]: { budget: two, mode: 'observe' } } })
    await revoke(observed, 'a', 'b', 'c')
    expect([...node.acts, ...observed.acts]).toEqual([])
  })
  it('can be a share of all principals, of which one may always be ended', async () => {
    let population = 30
    const node = await nodeWith({ ...two, share: 0.05, population: () => population })
    await revoke(node, 'a', 'b')
    expect(effectsOn(node, ['a', 'b'])).toEqual(['terminate', 'suspend'])
    population = 1000
    const larger = await nodeWith({ ...two, share: 0.05, population: () => population })
    await revoke(larger, 'a', 'b', 'c')
    expect(effectsOn(larger, ['a', 'b', 'c'])).toEqual(['terminate', 'terminate', 'suspend'])
    population = 1
    const tiny = await nodeWith({ ...two, share: 0.05, population: () => population })
    await revoke(tiny, 'a')
    await tiny.clock.advance(700_000)
    await revoke(tiny, 'b', 'c')
    expect(effectsOn(tiny, ['b', 'c'])).toEqual(['terminate', 'suspend'])
  })
  it.each([
    [
      'throws',
      () => {
        throw new Error('the database is away')
      },
    ],
    ['knows nothing', () => Number.NaN],
  ])('is absolute where the count of principals %s', async (_, population) => {
    const node = await nodeWith({ ...two, share: 0.05, population })
    await revoke(node, 'a', 'b', 'c')
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['terminate', 'terminate', 'suspend'])
  })
  it('is exceeded by whoever ends a whole tenant', async () => {
    const node = await watchedNode({ mandates: { [idp]: { tenants: [tenant], budget: two } } })
    await node.enforcement.apply(revoked({ tenant }))
    const who = { ...sessionOf('a'), subject: complex({ user: user('a'), tenant }) }
    expect(node.enforcement.check(who).effect).toBe('suspend')
    expect(node.acts).toEqual([exceeded])
  })
  it('counts sessions that end when their time to authenticate is over, and holds them', async () => {
    const policy = createPolicy([
      { on: CredentialChange, effect: 'reauthenticate', terms: { graceSeconds: 300 } },
    ])
    const ended: string[] = []
    const node = await limited({ policy, hooks: { terminate: ({ key }) => ended.push(key) } })
    const { enforcement, clock } = node
    for (const id of ['a', 'b', 'c']) await enforcement.apply(passwordChanged({ user: user(id) }))
    expect(node.acts).toEqual([exceeded])
    await clock.advance(600_000)
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['terminate', 'terminate', 'suspend'])
    expect(ended).toHaveLength(2)
    await enforcement.confirm(idp)
    await clock.advance(1)
    expect(effectsOn(node, ['c'])).toEqual(['terminate'])
    expect(ended).toHaveLength(3)
  })
  it('shows in a dry run', async () => {
    const node = await limited()
    await revoke(node, 'a', 'b')
    const runs = ['b', 'c'].map((id) =>
      node.enforcement.dryRun(revoked({ user: user(id) }, { at: noon + 1 }), [sessionOf(id)]),
    )
    const after = (await Promise.all(runs)).map(([run]) => run?.after.effect)
    expect(after).toEqual(['terminate', 'suspend'])
    expect(node.acts).toEqual([])
  })
  it('is counted for Prometheus', async () => {
    const node = await limited()
    const metrics = enforcementMetrics(node.enforcement.events)
    await revoke(node, 'a', 'b', 'c', 'd')
    expect(metrics.text()).toContain(`drawbridge_budgets_exceeded_total{iss="${idp}"} 1\n`)
  })
  it('names every mistake', () => {
    const budget = { principals: 0.5, perSeconds: 0, share: 2, per: 1 } as never
    const mandates = { [idp]: { budget }, [`${idp}/2`]: { budget: 7 as never } }
    const make = () =>
      createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy(), mandates })
    const mistakes = [
      '.per" is not an option',
      '.principals" must be a whole number',
      '.perSeconds" must be a number of seconds',
      '.share" must be above 0',
      'belong together',
      'budget" must be an object',
    ]
    for (const mistake of mistakes) expect(make).toThrow(mistake)
  })
})

describe('what is held above a budget', () => {
  it('is terminated when an operator confirms, with its hooks, and the count begins anew', async () => {
    const ended: string[] = []
    const node = await limited({ hooks: { terminate: ({ key }) => ended.push(key) } })
    await revoke(node, 'a', 'b', 'c', 'd')
    await node.clock.advance(700_000)
    expect(await node.enforcement.confirm(idp, { by: 'olga' })).toEqual({ signals: 2 })
    expect(effectsOn(node, ['c', 'd'])).toEqual(['terminate', 'terminate'])
    expect(node.acts).toEqual([
      exceeded,
      ['budget:confirmed', { iss: idp, signals: 2, by: 'olga' }],
    ])
    await node.clock.advance(1)
    expect(ended).toHaveLength(4)
    expect(await node.enforcement.confirm(idp)).toEqual({ signals: 0 })
    expect(node.acts).toHaveLength(2)
    await revoke(node, 'e', 'f', 'g')
    expect(effectsOn(node, ['e', 'f', 'g'])).toEqual(['terminate', 'terminate', 'suspend'])
    expect(node.acts).toHaveLength(3)
  })
  it('calls no hook again that was called before it was confirmed', async () => {
    const calls: string[] = []
    const call = ({ name }: { name: string }): void => void calls.push(name)
    const node = await limited({
      policy: createPolicy([
        { on: SessionRevoked, kind: 'agent', effect: 'terminate' },
        { on: SessionRevoked, effect: 'reauthenticate' },
      ]),
      hooks: { terminate: call, suspend: call, reauthenticate: call },
    })
    await revoke(node, 'a', 'b', 'c')
    await node.clock.advance(1)
    calls.length = 0
    await node.enforcement.confirm(idp)
    await node.enforcement.stop()
    expect(calls).toEqual(['terminate'])
  })
  it('comes back when an operator releases, with hooks, and what was terminated does not', async () => {
    const restored: unknown[] = []
    const node = await limited({ hooks: { restore: ({ effect }) => restored.push(effect) } })
    await revoke(node, 'a', 'b', 'c', 'd')
    expect(await node.enforcement.release(idp, { by: 'olga' })).toEqual({ signals: 2 })
    expect(effectsOn(node, ['a', 'b', 'c', 'd'])).toEqual([
      'terminate',
      'terminate',
      'none',
      'none',
    ])
    expect(node.acts[1]).toEqual(['budget:released', { iss: idp, signals: 2, by: 'olga' }])
    await node.clock.advance(1)
    expect(restored).toEqual(['suspend', 'suspend'])
  })
  it('does not come back by its own signal, delivered once more, after it was released', async () => {
    const node = await limited()
    const late = revoked({ user: user('c') })
    await revoke(node, 'a', 'b')
    await node.enforcement.apply(late)
    await node.enforcement.release(idp)
    await node.clock.advance(700_000)
    await node.enforcement.apply(late)
    expect(effectsOn(node, ['c'])).toEqual(['none'])
    await node.enforcement.apply(revoked({ user: user('c') }, { at: noon + 700 }))
    expect(effectsOn(node, ['c'])).toEqual(['terminate'])
  })
  it('is answered for each overrun by itself', async () => {
    const node = await limited()
    await revoke(node, 'a', 'b', 'c')
    await node.enforcement.release(idp)
    await revoke(node, 'd')
    expect(effectsOn(node, ['c', 'd'])).toEqual(['none', 'suspend'])
    await node.enforcement.confirm(idp)
    expect(effectsOn(node, ['c', 'd'])).toEqual(['none', 'terminate'])
  })
  it('softens nothing that was terminated before, whatever the answer', async () => {
    const node = await limited()
    await revoke(node, 'a', 'b', 'c')
    await node.enforcement.apply(revoked({ user: user('a') }, { at: noon + 30 }))
    expect(effectsOn(node, ['a'])).toEqual(['terminate'])
    const later = sessionOf('a', 20)
    expect(node.enforcement.check(later).effect).toBe('suspend')
    await node.enforcement.release(idp)
    expect(effectsOn(node, ['a'])).toEqual(['terminate'])
    expect(node.enforcement.check(later).outcome).toBe('allow')
  })
  it('keeps a late delivery of what was terminated what it is', async () => {
    const first = revoked({ user: user('a') })
    const node = await limited()
    await node.enforcement.apply(first)
    await revoke(node, 'b', 'c')
    await node.enforcement.apply(first)
    expect(node.told('signal:applied').at(-1)).toMatchObject({ changed: false, held: false })
    expect(node.enforcement.explain(sessionOf('a')).taken).toHaveLength(1)
  })
  it('is lifted by its counter-signal, where it is a condition', async () => {
    const node = await limited({
      policy: createPolicy([{ on: AccountDisabled, effect: 'terminate' }]),
    })
    for (const id of ['a', 'b', 'c'])
      await node.enforcement.apply(signal(AccountDisabled, user(id)))
    expect(effectsOn(node, ['b', 'c'])).toEqual(['terminate', 'suspend'])
    await node.enforcement.apply(signal(AccountEnabled, user('c'), { at: noon + 1 }))
    expect(effectsOn(node, ['b', 'c'])).toEqual(['terminate', 'none'])
    await node.enforcement.confirm(idp)
    expect(effectsOn(node, ['c'])).toEqual(['none'])
  })
  it('keeps its credential until it is confirmed, and what ends already is not held', async () => {
    const rotated: unknown[] = []
    const compromised = (id: string, at = noon) =>
      signal(CredentialCompromise, user(id), { at, payload: { credential_type: 'password' } })
    const node = await limited({ hooks: { rotate: ({ subject }) => rotated.push(subject) } })
    for (const id of ['a', 'b', 'c']) await node.enforcement.apply(compromised(id))
    await node.enforcement.apply(compromised('a', noon + 1))
    expect(effectsOn(node, ['a', 'b', 'c'])).toEqual(['terminate', 'terminate', 'suspend'])
    await node.clock.advance(1)
    // Of c the credential is still good.
    expect(rotated).toEqual([user('a'), user('b'), user('a')])
    await node.enforcement.confirm(idp)
    await node.clock.advance(1)
    expect(rotated).toHaveLength(4)
  })
  it('is held after a restart, and so is the answer; the window goes on', async () => {
    const kept = memoryLedger()
    const ledger: Ledger = { ...kept }
    const first = await limited({ ledger })
    await revoke(first, 'a', 'b')
    await first.enforcement.stop()
    const second = await limited({ ledger })
    await revoke(second, 'c')
    expect(second.acts).toEqual([exceeded])
    await second.enforcement.stop()
    const third = await limited({ ledger })
    await third.clock.advance(700_000)
    await revoke(third, 'd')
    expect(effectsOn(third, ['b', 'c', 'd'])).toEqual(['terminate', 'suspend', 'suspend'])
    expect(third.acts).toEqual([])
    await third.enforcement.release(idp)
    await third.enforcement.stop()
    const fourth = await limited({ ledger })
    expect(effectsOn(fourth, ['b', 'c', 'd'])).toEqual(['terminate', 'none', 'none'])
    await revoke(fourth, 'e', 'f', 'g')
    await fourth.enforcement.confirm(idp)
    await fourth.enforcement.stop()
    const fifth = await limited({ ledger })
    expect(effectsOn(fifth, ['c', 'd', 'g'])).toEqual(['none', 'none', 'terminate'])
    await fifth.enforcement.stop()
  })
  it.each([
    ['a cut', revoked({ user: user('c') })],
    ['a condition', signal(AccountDisabled, user('c'))],
  ])('as %s is held, told and kept although the ledger could not be written', async (_, above) => {
    const policy = createPolicy([
      { on: SessionRevoked, effect: 'terminate' },
      { on: AccountDisabled, effect: 'terminate' },
    ])
    const memory = memoryLedger()
    let isDown = false
    const ledger: Ledger = {
      ...memory,
      write: (entry) =>
        isDown
          ? Promise.reject(new StorageError('ERR_STORAGE_UNAVAILABLE', 'away'))
          : memory.write(entry),
    }
    const node = await limited({ ledger, policy })
    await revoke(node, 'a', 'b')
    isDown = true
    await expect(node.enforcement.apply(above)).rejects.toThrow('away')
    expect(node.acts).toEqual([exceeded])
    expect(effectsOn(node, ['c'])).toEqual(['suspend'])
    isDown = false
    await node.enforcement.apply(above)
    await node.clock.advance(10_000)
    expect(node.acts).toHaveLength(1)
    await node.enforcement.stop()
    const next = await limited({ ledger, policy })
    expect(effectsOn(next, ['c'])).toEqual(['suspend'])
    await revoke(next, 'd')
    expect(next.acts).toEqual([])
    await next.enforcement.stop()
  })
  it('is told by one of the nodes that find it at the same moment', async () => {
    const ledger = memoryLedger()
    // Neither hears what the other writes, until it writes the same.
    const [one, other] = [await limited({ ledger }), await limited({ ledger })]
    await revoke(one, 'a', 'b', 'c')
    await revoke(other, 'd', 'e', 'f')
    expect([one.acts, other.acts]).toEqual([[exceeded], []])
    expect(effectsOn(other, ['e', 'f'])).toEqual(['terminate', 'suspend'])
  })
  it('is answered by nobody who names no Transmitter', async () => {
    const { enforcement } = await limited()
    const wrong = { by: 7, why: '' } as never
    await expect(enforcement.confirm('local', wrong)).rejects.toMatchObject({
      mistakes: [
        '"why" is not an option',
        '"iss" must not be "local": use "giveBack"',
        '"by" must be a text',
      ],
    })
    await expect(enforcement.release('')).rejects.toThrow('"iss" must be the issuer')
  })
})
