import { describe, expect, it } from '@jest/globals'
import { opaque } from '@drawbridge/schema'
import { DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  createPolicy,
  memoryLedger,
  type AccessEndedError,
  type Ledger,
  type LedgerEntry,
  type LedgerFollower,
  type RuleEffect,
  type Who,
} from '@drawbridge/enforcement'
import { allowed, type AccessDecision } from '../src/guard/access-decision.ts'
import { createWatches, type Watches } from '../src/watch/watches.ts'
import { manualClock, type ManualClock } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  compliant,
  entryWith,
  laptop,
  noon,
  notCompliant,
  revoked,
  startedNode,
  type TestNode,
} from './signals.ts'

const who = aliceSince(-60)
const bob: Who = { ...who, subject: { user: opaque('bob') }, issuer: 'https://idp.example' }

const nodeWith = (cut: RuleEffect): Promise<TestNode> =>
  startedNode({
    policy: createPolicy([
      { on: SessionRevoked, ...cut },
      { on: DeviceComplianceChange, effect: 'reauthenticate', terms: { maxAgeSeconds: 100 } },
    ]),
  })

describe('the signal of a session', () => {
  it('aborts before apply has written the ledger, with the causes', async () => {
    const order: string[] = []
    const memory = memoryLedger()
    const write: Ledger['write'] = async (entry) => {
      order.push('write')
      return memory.write(entry)
    }
    const { enforcement } = await startedNode({ ledger: { ...memory, write } })
    const signal = enforcement.signal(who)
    signal.addEventListener('abort', () => order.push('abort'))
    await enforcement.apply(revoked({ user: alice }, { jti: 'why' }))
    expect(order).toEqual(['abort', 'write'])
    const reason = signal.reason as AccessEndedError
    expect(reason).toMatchObject({
      name: 'AccessEndedError',
      code: 'ERR_ACCESS_ENDED',
      effect: 'terminate',
      causes: [{ jti: 'why' }],
    })
    expect(reason.message).not.toMatch(/why|alice/)
  })
  it('aborts in the same turn for what the application takes', async () => {
    const { enforcement } = await startedNode()
    const signal = enforcement.signal(who)
    const taking = enforcement.take({ on: laptop, cause: 'incident', effect: 'suspend' })
    await Promise.resolve()
    expect(signal.aborted).toBe(true)
    await taking
  })
  it('aborts in the same turn for what another node wrote', async () => {
    let follower: LedgerFollower | undefined
    const ledger: Ledger = {
      ...memoryLedger(),
      follow: async (one) => {
        follower = one
        one.heard()
      },
    }
    const { enforcement } = await startedNode({ ledger })
    const [signal, another] = [enforcement.signal(who), enforcement.signal(bob)]
    const entry: LedgerEntry = entryWith()
    follower?.put([entry])
    expect([signal.aborted, another.aborted]).toEqual([true, false])
    await enforcement.stop()
  })
  it('stays for a signal that takes nothing from the session, and for a lift', async () => {
    const { enforcement } = await startedNode()
    const signal = enforcement.signal(aliceSince(30))
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(compliant({ device: laptop }))
    await enforcement.apply(
      revoked({ user: alice }, { iss: 'https://other.example', at: noon + 50 }),
    )
    expect(signal.aborted).toBe(false)
    await enforcement.apply(notCompliant({ device: laptop }, { at: noon + 50 }))
    expect(signal.aborted).toBe(true)
  })
  it('is aborted at once where the session is refused already', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(revoked({ user: alice }, { jti: 'why' }))
    const signal = enforcement.signal(who)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ causes: [{ jti: 'why' }] })
  })
  it('is aborted at once while the ledger has not been read', async () => {
    const { enforcement } = await startedNode()
    await enforcement.stop()
    expect(enforcement.signal(who).aborted).toBe(true)
  })
  it('aborts when a grant that it is for is taken', async () => {
    const { enforcement } = await nodeWith({ effect: 'restrict', terms: { take: ['write'] } })
    const [reads, writes, silent] = [['read'], ['write'], undefined].map((requires) =>
      enforcement.signal(who, requires && { requires }),
    )
    await enforcement.apply(revoked({ user: alice }))
    expect([reads?.aborted, writes?.aborted, silent?.aborted]).toEqual([false, true, true])
  })
  it('aborts by time alone, within a second', async () => {
    const { enforcement, clock } = await nodeWith({
      effect: 'shorten',
      terms: { lifetimeSeconds: 100 },
    })
    const signal = enforcement.signal(who)
    await enforcement.apply(revoked({ user: alice }))
    await clock.advance(39_000)
    expect(signal.aborted).toBe(false)
    await clock.advance(1000)
    await clock.advance(1000)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ effect: 'terminate' })
  })
  it('aborts by time when the authentication grows too old', async () => {
    const { enforcement, clock } = await nodeWith({ effect: 'terminate' })
    await enforcement.apply(notCompliant({ device: laptop }))
    const signal = enforcement.signal(aliceSince(10))
    await clock.advance(50_000)
    expect(signal.aborted).toBe(false)
    for (let turns = 0; turns < 2; turns++) await clock.advance(1000)
    expect(signal.reason).toMatchObject({ effect: 'reauthenticate' })
  })
  it('does not abort when what shortens is lifted before its time', async () => {
    const policy = createPolicy([
      { on: DeviceComplianceChange, effect: 'shorten', terms: { lifetimeSeconds: 100 } },
    ])
    const { enforcement, clock } = await startedNode({ policy })
    const signal = enforcement.signal(who)
    await enforcement.apply(notCompliant({ device: laptop }))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    for (let turns = 0; turns < 3; turns++) await clock.advance(100_000)
    expect(signal.aborted).toBe(false)
    expect(clock.sleepers).toBe(0)
  })
  it('leaves no timer behind when enforcement stops, and does not abort', async () => {
    const { enforcement, clock } = await nodeWith({
      effect: 'shorten',
      terms: { lifetimeSeconds: 100 },
    })
    await enforcement.apply(revoked({ user: alice }))
    const signal = enforcement.signal(who)
    await enforcement.stop()
    expect(clock.sleepers).toBe(0)
    expect(signal.aborted).toBe(false)
  })
  it('aborts for every session that the change reaches, each with its own reason', async () => {
    const { enforcement } = await startedNode()
    const signals = [-60, -61, 0].map((seconds) => enforcement.signal(aliceSince(seconds)))
    const reasons = new Set<unknown>()
    for (const signal of signals) {
      signal.addEventListener('abort', () => reasons.add(signal.reason))
    }
    await enforcement.apply(revoked({ user: alice }))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
    expect(reasons.size).toBe(3)
  })
})

describe('watches', () => {
  interface Setup {
    readonly watches: Watches
    readonly clock: ManualClock
    deny(subjectId: string): void
  }
  const setup = (): Setup => {
    const denied = new Set<string>()
    const clock = manualClock(noon * 1000)
    const refused = { outcome: 'refuse', causes: [], response: () => new Response() } as const
    const idOf = ({ subject }: Who): string => (subject as { readonly id: string }).id
    const check = (one: Who): AccessDecision => (denied.has(idOf(one)) ? refused : allowed)
    const watches = createWatches({ clock, longestSessionSeconds: 100, check })
    return { watches, clock, deny: (id) => denied.add(id) }
  }
  const named = (id: string, more: Partial<Who> = {}): Who => ({
    subject: opaque(id),
    began: new Date(noon * 1000),
    issuer: 'https://idp.example',
    ...more,
  })

  it('are shared by those who ask for the same session and the same grants', () => {
    const { watches } = setup()
    const first = watches.signal(named('a'))
    expect(watches.signal(named('a'))).toBe(first)
    expect(watches.size).toBe(1)
    for (const [session, options] of [
      [named('b'), {}],
      [named('a'), { requires: ['x'] }],
      [named('a'), { requires: [] }],
      [named('a', { began: new Date(noon * 1000 + 1) }), {}],
      [named('a', { beganIsLocal: true }), {}],
      [named('a', { issuer: 'https://other.example' }), {}],
      [named('a', { kind: 'agent' }), {}],
      [named('a', { acr: 'x' }), {}],
      [named('a', { grants: ['x'] }), {}],
    ] as const) {
      expect(watches.signal(session, options)).not.toBe(first)
    }
    expect(watches.size).toBe(10)
  })
  it('with an end of their own are given up with it, and nothing is left', () => {
    const { watches, deny } = setup()
    const ends = Array.from({ length: 10_000 }, () => new AbortController())
    const signals = ends.map(({ signal }, place) =>
      watches.signal(named(`s-${place % 100}`), { until: signal }),
    )
    expect(watches.size).toBe(10_000)
    for (const end of ends) end.abort()
    expect(watches.size).toBe(0)
    for (let place = 0; place < 100; place++) deny(`s-${place}`)
    watches.changed(Array.from({ length: 100 }, (_, place) => `s-${place}`))
    watches.changedAll()
    expect(signals.some(({ aborted }) => aborted)).toBe(false)
  })
  it('that have aborted hold nothing in an end that many share', () => {
    const { watches, deny } = setup()
    const end = new AbortController()
    let held = 0
    const add = end.signal.addEventListener.bind(end.signal)
    const remove = end.signal.removeEventListener.bind(end.signal)
    end.signal.addEventListener = (...args: Parameters<typeof add>) => {
      held++
      add(...args)
    }
    end.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      held--
      remove(...args)
    }
    for (const id of ['a', 'b']) watches.signal(named(id), { until: end.signal })
    expect(held).toBe(2)
    deny('a')
    watches.changed(['a'])
    expect([watches.size, held]).toEqual([1, 1])
  })
  it('whose end has come already are not begun', () => {
    const { watches } = setup()
    const signal = watches.signal(named('a'), { until: AbortSignal.abort('over') })
    expect([signal.aborted, signal.reason, watches.size]).toEqual([true, 'over', 0])
  })
  it('are asked about where something changed, and nowhere else', () => {
    const { watches, deny } = setup()
    const [a, b] = [watches.signal(named('a')), watches.signal(named('b'))]
    deny('a')
    deny('b')
    watches.changed(['a'])
    expect([a.aborted, b.aborted, watches.size]).toEqual([true, false, 1])
    watches.changedAll()
    expect([b.aborted, watches.size]).toEqual([true, 0])
  })
  it('last as long as sessions can', async () => {
    const { watches, clock } = setup()
    watches.signal(named('a'))
    await clock.advance(99_000)
    watches.signal(named('b'))
    expect(watches.size).toBe(2)
    await clock.advance(1000)
    watches.signal(named('c'))
    expect(watches.size).toBe(2)
  })
})
