import { describe, expect, it } from '@jest/globals'
import { issSub, opaque, type SubjectInput } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  memoryLedger,
  type HookCall,
  type Ledger,
  type LocalLift,
  type LocalSignal,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  compliant,
  idp,
  laptop,
  noon,
  notCompliant,
  revoked,
  startedNode,
} from './signals.ts'

const who = aliceSince(-60)
const incident: LocalSignal = { on: laptop, cause: 'incident', effect: 'suspend' }

describe('take', () => {
  it('holds for what begins later too, until it is given back', async () => {
    const { enforcement } = await startedNode()
    await enforcement.take(incident)
    expect([who, aliceSince(900)].map((one) => enforcement.check(one).outcome)).toEqual([
      'refuse',
      'refuse',
    ])
    await enforcement.giveBack({ on: laptop, cause: 'incident' })
    expect(enforcement.check(who).outcome).toBe('allow')
  })
  it('reaches only what began until now where it says so, and is forgotten in time', async () => {
    const ledger = memoryLedger()
    const { enforcement } = await startedNode({ ledger, longestSessionSeconds: 100 })
    await enforcement.take({
      on: alice,
      cause: 'sweep',
      effect: 'terminate',
      reaches: 'began-before',
    })
    expect([aliceSince(60), aliceSince(61)].map((one) => enforcement.check(one).outcome)).toEqual([
      'refuse',
      'allow',
    ])
    expect(await ledger.readAll()).toMatchObject([{ since: noon + 60, expires: noon + 160 }])
  })
  it('reaches a tenant as a whole, and sessions of every login issuer', async () => {
    const { enforcement } = await startedNode()
    const tenant = opaque('t-1')
    await enforcement.take({ on: { tenant }, cause: 'incident', effect: 'suspend' })
    const member = { subject: { user: alice, tenant }, issuer: 'https://third.example' }
    expect(enforcement.check(aliceSince(0, member)).outcome).toBe('refuse')
    expect(enforcement.check(aliceSince(0)).outcome).toBe('allow')
  })
  it('knows no mandate: not the hardest effect, not observation', async () => {
    const calls: string[] = []
    const { enforcement } = await startedNode({
      mandates: { local: { mode: 'observe', hardest: 'reauthenticate', issuers: [] } },
      hooks: { suspend: ({ effect }) => calls.push(effect) },
    })
    await enforcement.take(incident)
    expect(enforcement.check(who)).toMatchObject({ outcome: 'refuse', effect: 'suspend' })
    await enforcement.stop()
    expect(calls).toEqual(['suspend'])
  })
  it('of two causes: one that is given back leaves the other', async () => {
    const { enforcement } = await startedNode()
    await enforcement.take(incident)
    await enforcement.take({ ...incident, cause: 'operator' })
    await enforcement.giveBack({ on: laptop, cause: 'incident' })
    expect(enforcement.explain(who).taken).toMatchObject([
      { effect: 'suspend', cause: { iss: 'local', name: 'operator' } },
    ])
  })
  it('again after giving back takes again, in one millisecond', async () => {
    const { enforcement } = await startedNode()
    const outcomes: string[] = []
    for (let times = 0; times < 3; times++) {
      await enforcement.take(incident)
      outcomes.push(enforcement.check(who).outcome)
      await enforcement.giveBack({ on: laptop, cause: 'incident' })
      outcomes.push(enforcement.check(who).outcome)
    }
    expect(outcomes).toEqual(['refuse', 'allow', 'refuse', 'allow', 'refuse', 'allow'])
  })
  it('takes grants, and lets hooks know as signals do', async () => {
    const calls: [string, string, object][] = []
    const note = (name: string) => {
      return ({ cause, terms }: HookCall): void => void calls.push([name, cause.name, terms])
    }
    const { enforcement } = await startedNode({
      hooks: { restrict: note('restrict'), restore: note('restore') },
    })
    const terms = { take: ['write'] }
    await enforcement.take({ on: laptop, cause: 'incident', effect: 'restrict', terms })
    expect(enforcement.check(who, { requires: ['write'] }).outcome).toBe('refuse')
    expect(enforcement.check(who, { requires: ['read'] }).outcome).toBe('allow')
    await enforcement.giveBack({ on: laptop, cause: 'incident' })
    await enforcement.stop()
    expect(calls).toEqual([
      ['restrict', 'incident', terms],
      ['restore', 'incident', terms],
    ])
  })
  it.each<[string, object, RegExp[]]>([
    ['nothing', {}, [/"cause"/, /"effect"/, /"on"/]],
    ['terms', { ...incident, terms: { take: ['x'] } }, [/"terms\.take" is not a term of suspend/]],
    ['a reach', { ...incident, reaches: 'some' }, [/"reaches"/]],
    ['a member', { ...incident, until: new Date() }, [/"until"/]],
  ])('names every mistake, as in %s, and takes nothing', async (_, signal, patterns) => {
    const ledger = memoryLedger()
    const { enforcement } = await startedNode({ ledger })
    for (const pattern of patterns) {
      await expect(enforcement.take(signal as LocalSignal)).rejects.toThrow(pattern)
    }
    expect(await ledger.readAll()).toEqual([])
  })
  it('is durable when it resolves, and counts here at once', async () => {
    const memory = memoryLedger()
    let release = (): void => undefined
    const ledger: Ledger = {
      ...memory,
      write: async (entry) => {
        await new Promise<void>((resolve) => (release = resolve))
        return memory.write(entry)
      },
    }
    const { enforcement } = await startedNode({ ledger })
    let isDone = false
    const taking = enforcement.take(incident).then(() => (isDone = true))
    await Promise.resolve()
    await Promise.resolve()
    expect([enforcement.check(who).outcome, isDone]).toEqual(['refuse', false])
    release()
    await taking
    expect(await memory.readAll()).toHaveLength(1)
  })
})

describe('giveBack', () => {
  it('gives back nothing that a Transmitter took', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(notCompliant(laptop))
    await enforcement.giveBack({ on: laptop, cause: 'device-compliance' })
    expect(enforcement.check(who).outcome).toBe('refuse')
    await enforcement.apply(compliant(laptop, { at: noon + 1 }))
    expect(enforcement.check(who).outcome).toBe('allow')
  })
  it('gives back for the same subject alone', async () => {
    const { enforcement } = await startedNode()
    await enforcement.take(incident)
    await enforcement.giveBack({ on: { device: laptop }, cause: 'incident' })
    expect(enforcement.check(who).outcome).toBe('refuse')
  })
  it('finds the subject however its issuer and its address are written', async () => {
    const old = 'https://old.example'
    const { enforcement } = await startedNode({ issuerAliases: { [idp]: [old] } })
    await enforcement.take({ ...incident, on: issSub(old, 'alice') })
    expect(enforcement.check(who).outcome).toBe('refuse')
    await enforcement.giveBack({ on: alice, cause: 'incident' })
    expect(enforcement.check(who).outcome).toBe('allow')
  })
  it('names every mistake', async () => {
    const { enforcement } = await startedNode()
    const lift = { effect: 'suspend' } as unknown as LocalLift
    for (const pattern of [/"effect"/, /"cause"/, /"on"/]) {
      await expect(enforcement.giveBack(lift)).rejects.toThrow(pattern)
    }
  })
})

describe('onward', () => {
  interface Sent {
    readonly uri: string
    readonly subject: SubjectInput
    readonly payload: object | undefined
  }
  it('transmits what it says, once it counts, and nothing unasked', async () => {
    const sent: Sent[] = []
    const outcomes: string[] = []
    const { enforcement } = await startedNode({
      transmit: async ({ uri }, subject, payload) => {
        sent.push({ uri, subject, payload })
        outcomes.push(enforcement.check(who).outcome)
      },
    })
    await enforcement.take({ ...incident, cause: 'silent' })
    await enforcement.giveBack({ on: laptop, cause: 'silent' })
    expect(sent).toEqual([])
    const payload = { initiating_entity: 'admin' }
    await enforcement.take({ ...incident, onward: { type: SessionRevoked, payload } })
    expect(sent).toEqual([{ uri: SessionRevoked.uri, subject: laptop, payload }])
    expect(outcomes).toEqual(['refuse'])
  })
  it('that fails is told, and what was taken stays', async () => {
    const { enforcement } = await startedNode({
      transmit: () => Promise.reject(new Error('no stream')),
    })
    const onward = { type: SessionRevoked }
    await expect(enforcement.take({ ...incident, onward })).rejects.toThrow('no stream')
    expect(enforcement.check(who).outcome).toBe('refuse')
  })
  it('is not done for what Transmitters say', async () => {
    const sent: unknown[] = []
    const { enforcement } = await startedNode({ transmit: async (type) => sent.push(type) })
    await enforcement.apply(revoked({ user: alice }))
    expect(sent).toEqual([])
  })
})

describe('nodes whose clocks differ', () => {
  it('give back what another took, although its clock is ahead', async () => {
    const ledger = memoryLedger()
    const ahead = await startedNode({ ledger, clock: manualClock((noon + 3600) * 1000) })
    await ahead.enforcement.take({ on: alice, cause: 'incident', effect: 'suspend' })
    await ahead.enforcement.stop()
    const { enforcement } = await startedNode({ ledger })
    expect(enforcement.check(aliceSince(0)).outcome).toBe('refuse')
    await enforcement.giveBack({ on: alice, cause: 'incident' })
    expect(enforcement.check(aliceSince(0)).outcome).toBe('allow')
    await enforcement.take({ on: alice, cause: 'incident', effect: 'suspend' })
    expect(enforcement.check(aliceSince(0)).outcome).toBe('refuse')
  })
})
