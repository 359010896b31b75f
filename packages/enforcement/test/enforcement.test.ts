import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { opaque, StorageError, type SecurityEvent } from '@drawbridge/schema'
import { AccountPurged } from '@drawbridge/schema/risc'
import { ScimDelete } from '@drawbridge/schema/scim'
import { Verification } from '@drawbridge/schema/ssf'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type EnforcementEvents,
  type EnforcementOptions,
  type HookCall,
  type Ledger,
} from '@drawbridge/enforcement'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { manualClock, type ManualClock } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  compliant,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  signal,
} from './signals.ts'

const other = 'https://other.example'

interface Setup {
  readonly enforcement: Enforcement
  readonly clock: ManualClock
}

const started = async (options: Partial<EnforcementOptions> = {}): Promise<Setup> => {
  const clock = manualClock((noon + 60) * 1000)
  const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock, ...options }
  const enforcement = createEnforcement(parts)
  await enforcement.start()
  return { enforcement, clock }
}

const applyAll = async (
  { apply }: Enforcement,
  events: readonly SecurityEvent[],
): Promise<void> => {
  for (const event of events) await apply(event)
}

describe('a session that is revoked', () => {
  it('is refused, and says why without its peer’s words', async () => {
    const { enforcement } = await started()
    const who = aliceSince(-60)
    expect(enforcement.check(who)).toEqual({ outcome: 'allow', causes: [] })
    await enforcement.apply(revoked({ user: alice }, { jti: 'the-jti', txn: 'the-txn' }))
    expect(enforcement.check(who)).toMatchObject({
      outcome: 'refuse',
      effect: 'terminate',
      causes: [{ jti: 'the-jti', txn: 'the-txn', name: 'session-revoked' }],
    })
  })
  it('is refused although the revocation came before the session was made', async () => {
    const { enforcement } = await started()
    await enforcement.apply(revoked({ user: alice, session: opaque('s-1') }))
    // The login was in flight: authenticated before, the cookie set after.
    expect(enforcement.check(aliceSince(-2)).outcome).toBe('refuse')
  })
  it('does not take the one that begins after it', async () => {
    const { enforcement } = await started()
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(aliceSince(1)).outcome).toBe('allow')
  })
  it('is not ended by a late signal when it began after that', async () => {
    const { enforcement } = await started()
    await applyAll(enforcement, [
      revoked({ user: alice }),
      revoked({ user: alice }, { at: noon - 500, iat: noon + 30 }),
    ])
    expect(enforcement.check(aliceSince(-400)).outcome).toBe('refuse')
    expect(enforcement.check(aliceSince(1)).outcome).toBe('allow')
  })
  it('is not allowed from memory after what is known of it has changed', async () => {
    const { enforcement } = await started()
    await enforcement.apply(revoked({ session: opaque('s-9') }))
    const who = aliceSince(1)
    expect(enforcement.check(who).outcome).toBe('allow')
    Object.assign(who, { subject: { ...who.subject, session: opaque('s-9') } })
    expect(enforcement.check(who).outcome).toBe('refuse')
  })
})

describe('a device that is not compliant', () => {
  it('suspends its sessions, a fresh login too, until it is compliant', async () => {
    const { enforcement } = await started()
    await enforcement.apply(notCompliant({ device: laptop }))
    for (const seconds of [-60, 30]) {
      expect(enforcement.check(aliceSince(seconds))).toMatchObject({ effect: 'suspend' })
    }
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 40 }))
    for (const seconds of [-60, 30]) {
      expect(enforcement.check(aliceSince(seconds)).outcome).toBe('allow')
    }
  })
  it('gives back what its own cause took and nothing else', async () => {
    const { enforcement } = await started()
    await applyAll(enforcement, [
      revoked({ user: alice }),
      notCompliant({ device: laptop }),
      compliant({ device: laptop }, { at: noon + 1 }),
    ])
    expect(enforcement.explain(aliceSince(-60)).taken).toMatchObject([
      { effect: 'terminate', cause: { name: 'session-revoked' } },
    ])
  })
  it('is not lifted by another Transmitter', async () => {
    const { enforcement } = await started()
    await applyAll(enforcement, [
      notCompliant({ device: laptop }),
      compliant({ device: laptop }, { at: noon + 1, iss: other }),
    ])
    expect(enforcement.check(aliceSince(30)).outcome).toBe('refuse')
  })
  it('is not lifted for another subject', async () => {
    const { enforcement } = await started()
    await applyAll(enforcement, [
      notCompliant({ device: laptop }),
      compliant({ device: laptop, user: alice }, { at: noon + 1 }),
    ])
    expect(enforcement.check(aliceSince(30)).outcome).toBe('refuse')
  })
  it('is not lifted by an old "compliant" that is replayed', async () => {
    const { enforcement } = await started()
    const old = compliant({ device: laptop }, { at: noon - 100 })
    await applyAll(enforcement, [old, notCompliant({ device: laptop }), old])
    expect(enforcement.check(aliceSince(30)).outcome).toBe('refuse')
  })
  it('stays lifted when the old "not compliant" is replayed', async () => {
    const { enforcement } = await started()
    const old = notCompliant({ device: laptop })
    await applyAll(enforcement, [old, compliant({ device: laptop }, { at: noon + 1 }), old])
    expect(enforcement.check(aliceSince(30)).outcome).toBe('allow')
  })
  it.each([[[0, 1]], [[1, 0]]])(
    'SET-5.4-1: in one second a UUIDv7 says which came later, arriving as %j',
    async (order) => {
      const { enforcement } = await started()
      const both = [
        notCompliant({ device: laptop }, { jti: '019aa000-0000-7000-8000-000000000001' }),
        compliant({ device: laptop }, { jti: '019aa000-0000-7000-8000-000000000002' }),
      ]
      await applyAll(
        enforcement,
        order.flatMap((place) => both[place] ?? []),
      )
      expect(enforcement.check(aliceSince(30)).outcome).toBe('allow')
    },
  )
  it('is given back although its rule has left the policy', async () => {
    const ledger = memoryLedger()
    const first = await started({ ledger })
    await first.enforcement.apply(notCompliant({ device: laptop }))
    await first.enforcement.stop()
    const { enforcement } = await started({ ledger, policy: createPolicy([]) })
    expect(enforcement.check(aliceSince(30)).outcome).toBe('refuse')
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    expect(enforcement.check(aliceSince(30)).outcome).toBe('allow')
  })
})

describe('a credential that changed', () => {
  it.each(['revoke', 'update', 'delete'] as const)(
    'by "%s" asks for an authentication after it',
    async (change) => {
      const { enforcement } = await started()
      await enforcement.apply(passwordChanged({ user: alice }, {}, change))
      expect(enforcement.check(aliceSince(-60))).toMatchObject({
        outcome: 'challenge',
        effect: 'reauthenticate',
      })
      expect(enforcement.check(aliceSince(1)).outcome).toBe('allow')
    },
  )
  it('by "create" is no threat', async () => {
    const { enforcement } = await started()
    await enforcement.apply(passwordChanged({ user: alice }, {}, 'create'))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
})

describe('another issuer', () => {
  it('has no effect on our sessions, whomever it names', async () => {
    const { enforcement } = await started()
    const foreign = { iss: other }
    await applyAll(enforcement, [
      revoked({ user: alice }, foreign),
      revoked(opaque('s-1'), foreign),
      notCompliant({ device: laptop }, foreign),
    ])
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
})

describe('an event that takes nothing', () => {
  it.each([
    ['of a type that has no meaning for access', signal(Verification, opaque('stream'))],
    ['of a type that nobody knows', { ...revoked({ user: alice }), type: 'https://x.example/y' }],
  ])('%s is acknowledged and announced', async (_, event) => {
    const { enforcement } = await started()
    const ignored: unknown[] = []
    enforcement.events.on('signal:ignored', (told) => ignored.push(told))
    await enforcement.apply(event)
    expect(ignored).toMatchObject([{ type: event.type, iss: event.iss, jti: event.jti }])
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
})

describe('explain', () => {
  it('says which signal took what, and what would give it back', async () => {
    const { enforcement } = await started()
    await applyAll(enforcement, [
      revoked({ user: alice }, { jti: 'a' }),
      passwordChanged({ user: alice }, { jti: 'b' }),
      notCompliant({ device: laptop }, { jti: 'c', at: noon + 0.5, iat: noon + 2 }),
    ])
    const { synchronised, effect, taken } = enforcement.explain(aliceSince(-60))
    expect({ synchronised, effect }).toEqual({ synchronised: true, effect: 'terminate' })
    const found = taken.map(({ cause, restoredBy, since }) => [cause.jti, restoredBy, since])
    expect(new Map(found.map(([jti, ...rest]) => [jti, rest]))).toEqual(
      new Map<unknown, unknown>([
        ['a', ['new-session', noon]],
        ['b', ['authentication', noon]],
        ['c', ['counter-signal', noon + 0.5]],
      ]),
    )
    expect(taken.filter((one) => 'awaitsOperator' in one)).toEqual([])
  })
  it.each([AccountPurged, ScimDelete])('says of $name that nothing gives it back', async (type) => {
    const { enforcement } = await started()
    await enforcement.apply(signal(type, { user: alice }))
    const who = aliceSince(-60)
    expect(enforcement.explain(who).taken).toMatchObject([
      { effect: 'terminate', restoredBy: 'nothing' },
    ])
    // To send people to the login for it would go in circles.
    const decision = enforcement.check(who)
    const page = { method: 'GET', headers: new Headers({ accept: 'text/html' }) }
    expect(decision.outcome !== 'allow' && decision.response(page).status).toBe(403)
  })
})

describe('before and after its time, enforcement', () => {
  it('refuses until it has read the ledger, and says so', async () => {
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    const decision = enforcement.check(aliceSince(30))
    expect(decision).toMatchObject({ outcome: 'refuse', causes: [] })
    expect(enforcement.explain(aliceSince(30))).toEqual({
      synchronised: false,
      taken: [],
      observed: [],
    })
    expect(decision.outcome !== 'allow' && decision.response().status).toBe(503)
  })
  it('takes no signal that it could not keep', async () => {
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    await expect(enforcement.apply(revoked({ user: alice }))).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
  })
  it('lets a signal wait for a start that is under way', async () => {
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    const starting = enforcement.start()
    await enforcement.apply(revoked({ user: alice }))
    await starting
    expect(enforcement.check(aliceSince(-1)).outcome).toBe('refuse')
  })
  it('starts and stops as often as it is told to', async () => {
    const { enforcement } = await started()
    await enforcement.apply(revoked({ user: alice }))
    await Promise.all([enforcement.start(), enforcement.start()])
    await Promise.all([enforcement.stop(), enforcement.stop()])
    expect(enforcement.check(aliceSince(30))).toMatchObject({ outcome: 'refuse', causes: [] })
    await Promise.all([enforcement.start(), enforcement.stop(), enforcement.start()])
    expect(enforcement.check(aliceSince(30)).outcome).toBe('allow')
    expect(enforcement.check(aliceSince(-1)).outcome).toBe('refuse')
  })
  it('keeps what it acknowledged when the process starts again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drawbridge-'))
    const file = join(folder, 'enforcement.db')
    const first = await started({ ledger: sqliteLedger(file) })
    await first.enforcement.apply(revoked({ user: alice }))
    await first.enforcement.stop()
    const { enforcement } = await started({ ledger: sqliteLedger(file) })
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    expect(enforcement.check(aliceSince(30)).outcome).toBe('allow')
    await enforcement.stop()
    await rm(folder, { recursive: true })
  })
})

describe('a ledger that fails', () => {
  const failing = (parts: Partial<Ledger>): Ledger => ({ ...memoryLedger(), ...parts })
  const broken = new StorageError('ERR_STORAGE_UNAVAILABLE', 'the disk is full')

  it('at a write is no acknowledgement, but what it takes counts on this node at once', async () => {
    const ledger = failing({ write: () => Promise.reject(broken) })
    const { enforcement } = await started({ ledger })
    await expect(enforcement.apply(revoked({ user: alice }))).rejects.toBe(broken)
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    await enforcement.stop()
  })
  it('at a write gives nothing back', async () => {
    const memory = memoryLedger()
    const ledger: Ledger = {
      ...memory,
      write: (entry) => (entry.lifted ? Promise.reject(broken) : memory.write(entry)),
    }
    const { enforcement } = await started({ ledger })
    await enforcement.apply(notCompliant(laptop))
    await expect(enforcement.apply(compliant(laptop, { at: noon + 1 }))).rejects.toBe(broken)
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
  })
  it('at a write is tried again until the entry is durable, and then its hook runs once', async () => {
    const memory = memoryLedger()
    let failures = 3
    const ledger: Ledger = {
      ...memory,
      write: (entry) => (failures-- > 0 ? Promise.reject(broken) : memory.write(entry)),
    }
    const calls: string[] = []
    const hooks = { terminate: ({ cause }: HookCall) => calls.push(cause.jti) }
    const { enforcement, clock } = await started({ ledger, hooks })
    const signal = revoked({ user: alice })
    await expect(enforcement.apply(signal)).rejects.toBe(broken)
    for (let waits = 0; waits < 4; waits++) await clock.advance(10_000)
    expect((await memory.readAll()).map(({ cause }) => cause.jti)).toEqual([signal.jti])
    await enforcement.apply(signal)
    await enforcement.stop()
    expect(calls).toEqual([signal.jti])
  })
  it('at the start leaves every check refused, closes it, and can be tried again', async () => {
    const attempts: string[] = []
    const ledger = memoryLedger()
    const readAll = async (): ReturnType<Ledger['readAll']> => {
      attempts.push('read')
      if (attempts.length === 1) throw broken
      return ledger.readAll()
    }
    const close = async (): Promise<void> => {
      attempts.push('close')
      await ledger.close()
    }
    const enforcement = createEnforcement({
      ledger: { ...ledger, readAll, close },
      policy: recommendedPolicy(),
    })
    await expect(enforcement.start()).rejects.toBe(broken)
    expect(attempts).toEqual(['read', 'close'])
    expect(enforcement.check(aliceSince(30)).outcome).toBe('refuse')
    await enforcement.start()
    expect(enforcement.check(aliceSince(30)).outcome).toBe('allow')
  })
})

describe('what can be watched', () => {
  it('tells the dwell time, from T, from iat and from receipt', async () => {
    const ledger = memoryLedger()
    const clock = manualClock((noon + 60) * 1000)
    const slow: Ledger = {
      ...ledger,
      write: async (entry) => {
        await clock.advance(7)
        return ledger.write(entry)
      },
    }
    const { enforcement } = await started({ ledger: slow, clock })
    const told: EnforcementEvents['signal:applied'][] = []
    enforcement.events.on('signal:applied', (event) => told.push(event))
    await enforcement.apply(revoked({ user: alice }, { at: noon, iat: noon + 20 }))
    expect(told).toMatchObject([
      {
        effect: 'terminate',
        lifted: false,
        changed: true,
        dwell: { sinceEventMs: 60_007, sinceIssuedMs: 40_007, sinceReceivedMs: 7 },
      },
    ])
  })
  it('tells every request that was denied', async () => {
    const { enforcement } = await started()
    const told: unknown[] = []
    enforcement.events.on('request:denied', (event) => told.push(event))
    await enforcement.apply(revoked({ user: alice }, { jti: 'the-jti' }))
    enforcement.check(aliceSince(-60))
    enforcement.check(aliceSince(30))
    expect(told).toMatchObject([
      { outcome: 'refuse', effect: 'terminate', causes: [{ jti: 'the-jti' }] },
    ])
  })
})

describe('a cut that is past its time', () => {
  it('leaves the ledger, and a condition does not', async () => {
    const ledger = memoryLedger()
    const { enforcement, clock } = await started({ ledger, longestSessionSeconds: 3600 })
    await enforcement.apply(revoked({ user: alice }))
    await clock.advance(3601_000)
    await enforcement.apply(notCompliant({ device: laptop }))
    expect((await ledger.readAll()).map(({ effect }) => effect)).toEqual(['suspend'])
    expect(enforcement.explain(aliceSince(-60)).taken).toHaveLength(1)
  })
})
