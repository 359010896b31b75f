import { describe, expect, it } from '@jest/globals'
import { opaque } from '@drawbridge/schema'
import {
  createEnforcement,
  issuerWide,
  memoryLedger,
  prepare,
  recommendedPolicy,
  type Enforcement,
  type EnforcementOptions,
  type Ledger,
  type LedgerFollower,
  type Who,
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
} from './signals.ts'

const clockAtNoon = () => manualClock((noon + 60) * 1000)

async function started(options: Partial<EnforcementOptions> = {}): Promise<Enforcement> {
  const enforcement = createEnforcement({
    ledger: memoryLedger(),
    policy: recommendedPolicy(),
    clock: clockAtNoon(),
    ...options,
  })
  await enforcement.start()
  return enforcement
}

const session = opaque('s-1')
const who: Who = { subject: { user: alice, session, device: laptop }, began: aliceSince(-60).began }

/** Checked once, so that it is remembered. */
function remembered(enforcement: Enforcement, from: Who = who): Who {
  const prepared = prepare(from)
  expect(enforcement.check(prepared).outcome).toBe('allow')
  return prepared
}

describe('a prepared who', () => {
  it('is the same as what it was made from', () => {
    const grants = ['files:read']
    const full: Who = { ...who, grants, acr: 'high', kind: 'agent', issuer: idp }
    expect(prepare(full)).toEqual(full)
  })
  it('is not looked for again while the ledger stands still', async () => {
    const enforcement = await started()
    let reads = 0
    const began = new Date(who.began)
    const prepared = remembered(enforcement)
    prepared.began.getTime = () => {
      reads++
      return began.getTime()
    }
    enforcement.check(prepared)
    expect(reads).toBe(0)
    enforcement.check({ ...prepared })
    expect(reads).toBeGreaterThan(0)
  })
  it('is refused by a signal that comes after it was allowed', async () => {
    const enforcement = await started()
    const prepared = remembered(enforcement)
    await enforcement.apply(revoked({ session }))
    expect(enforcement.check(prepared)).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
    expect(enforcement.explain(prepared).effect).toBe('terminate')
  })
  it('is refused by a signal about its issuer', async () => {
    const enforcement = await started()
    const prepared = remembered(enforcement)
    await enforcement.take({ on: issuerWide(idp), effect: 'suspend', cause: 'incident' })
    expect(enforcement.check(prepared).outcome).toBe('refuse')
  })
  it('follows a condition to and fro', async () => {
    const enforcement = await started()
    const prepared = remembered(enforcement)
    await enforcement.apply(notCompliant({ device: laptop }))
    expect(enforcement.check(prepared).outcome).not.toBe('allow')
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    expect(enforcement.check(prepared).outcome).toBe('allow')
  })
  it('is not remembered when something was found that time can make take', async () => {
    const clock = clockAtNoon()
    const enforcement = await started({ clock })
    await enforcement.take({
      on: session,
      effect: 'shorten',
      terms: { lifetimeSeconds: 600 },
      cause: 'incident',
    })
    const prepared = remembered(enforcement)
    await clock.advance(601_000)
    expect(enforcement.check(prepared).outcome).toBe('refuse')
  })
  it('is judged by grants although it is remembered', async () => {
    const enforcement = await started()
    const prepared = remembered(enforcement, { ...who, grants: ['files:read'] })
    expect(enforcement.check(prepared, { requires: ['files:write'] })).toMatchObject({
      outcome: 'refuse',
      missing: ['files:write'],
    })
    expect(() => enforcement.check(prepared, { requires: ['two words'] })).toThrow('"requires"')
  })
  it('is refused after a stop, and judged by the ledger that is read at the next start', async () => {
    const ledger = memoryLedger()
    const enforcement = await started({ ledger })
    const prepared = remembered(enforcement)
    await enforcement.stop()
    expect(enforcement.check(prepared).outcome).toBe('refuse')
    const other = await started({ ledger })
    await other.apply(revoked({ session }))
    await other.stop()
    await enforcement.start()
    expect(enforcement.check(prepared)).toMatchObject({ effect: 'terminate' })
  })
  it('is known to one enforcement apart from what it is to another', async () => {
    const enforcement = await started()
    const prepared = remembered(enforcement)
    const other = await started()
    await other.apply(revoked({ session }))
    expect(other.check(prepared).outcome).toBe('refuse')
    expect(enforcement.check(prepared).outcome).toBe('allow')
  })
  it('is refused while the ledger is stale', async () => {
    const clock = clockAtNoon()
    const enforcement = await started({ ledger: silentLedger(), clock, maxStalenessMs: 1000 })
    const prepared = remembered(enforcement)
    await clock.advance(1001)
    expect(enforcement.check(prepared).outcome).toBe('refuse')
  })
})

describe('what is made from a prepared who', () => {
  const others: Readonly<Record<string, (prepared: Who) => Who>> = {
    'a copy with another subject': (prepared) => ({
      ...prepared,
      subject: { user: alice, device },
    }),
    'an object that inherits from it': (prepared) =>
      Object.create(prepared, { subject: { value: { user: alice, device } } }) as Who,
  }
  const device = opaque('other-device')
  it.each(Object.keys(others))('%s has a memory of its own', async (name) => {
    const enforcement = await started()
    await enforcement.apply(revoked({ device }))
    const prepared = remembered(enforcement)
    const made = others[name]?.(prepared) ?? who
    expect(enforcement.check(made).outcome).toBe('refuse')
    expect(enforcement.check(prepared).outcome).toBe('allow')
  })
  it('cannot be a changed one, and what it was made from can', async () => {
    const subject = { user: alice, session: { format: 'opaque', id: 's-1' } }
    const grants = ['files:read']
    const enforcement = await started()
    const prepared = remembered(enforcement, { ...who, subject, grants })
    subject.session.id = 's-2'
    grants.push('files:write')
    expect(prepared.subject).toEqual({ user: alice, session })
    expect(prepared.grants).toEqual(['files:read'])
    const parts = [prepared.subject, ...Object.values(prepared.subject), prepared.grants]
    for (const part of parts) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    expect(Object.isExtensible(prepared)).toBe(false)
    for (const name of Object.keys(prepared)) {
      expect(Reflect.set(prepared, name, undefined)).toBe(false)
      expect(Reflect.deleteProperty(prepared, name)).toBe(false)
    }
  })
  it('is checked at once', () => {
    expect(() => prepare({ ...who, began: new Date('?') })).toThrow('"who.began"')
    expect(() => prepare({ ...who, subject: {} })).toThrow('"who.subject"')
  })
})

/** Shared with other nodes, and never heard after the start. */
function silentLedger(): Ledger {
  return { ...memoryLedger(), follow: async (_follower: LedgerFollower) => undefined }
}
