import { describe, expect, it } from '@jest/globals'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type EnforcementEvents,
  type HookCall,
  type Hooks,
} from '@drawbridge/enforcement'
import { manualClock, settled, type ManualClock } from '@drawbridge/testkit'
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

interface Setup {
  readonly enforcement: Enforcement
  readonly clock: ManualClock
  readonly failures: EnforcementEvents['hook:failed'][]
}

const started = async (hooks: Hooks): Promise<Setup> => {
  const clock = manualClock((noon + 60) * 1000)
  const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock, hooks }
  const enforcement = createEnforcement({ ...parts, hookRetry: { attempts: 3, timeoutMs: 1000 } })
  const failures: EnforcementEvents['hook:failed'][] = []
  enforcement.events.on('hook:failed', (failure) => failures.push(failure))
  await enforcement.start()
  return { enforcement, clock, failures }
}

describe('a hook', () => {
  it('runs when the guard refuses already, and is told by whom and about whom', async () => {
    const calls: HookCall[] = []
    const outcomes: string[] = []
    const { enforcement } = await started({
      terminate: (call) => {
        calls.push(call)
        outcomes.push(enforcement.check(aliceSince(-60)).outcome)
      },
    })
    await enforcement.apply(revoked({ user: alice }, { jti: 'the-jti' }))
    await settled()
    expect(outcomes).toEqual(['refuse'])
    expect(calls).toMatchObject([
      {
        key: JSON.stringify(['terminate', idp, 'the-jti', 'session-revoked']),
        subject: { user: alice },
        effect: 'terminate',
        cause: { jti: 'the-jti', iss: idp },
        since: noon,
        reaches: 'began-before',
      },
    ])
  })
  it('does not run again for a signal that is repeated or late', async () => {
    const keys: string[] = []
    const { enforcement } = await started({ terminate: ({ key }) => keys.push(key) })
    const event = revoked({ user: alice })
    await Promise.all([enforcement.apply(event), enforcement.apply(event)])
    await enforcement.apply(revoked({ user: alice }, { at: noon - 5 }))
    await enforcement.stop()
    expect(keys).toHaveLength(1)
  })
  it('restores once, and only what was taken', async () => {
    const names: string[] = []
    const { enforcement } = await started({
      suspend: () => names.push('suspend'),
      restore: ({ cause }) => names.push(`restore ${cause.name}`),
    })
    await enforcement.apply(compliant({ device: laptop }, { at: noon - 9 }))
    await enforcement.apply(notCompliant({ device: laptop }))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 2 }))
    await enforcement.stop()
    expect(names).toEqual(['suspend', 'restore device-compliance'])
  })
  it('that throws is tried again with the same key, and access stays ended', async () => {
    const keys: string[] = []
    const { enforcement, clock, failures } = await started({
      terminate: ({ key }) => {
        keys.push(key)
        if (keys.length < 3) throw new Error('the store is away')
      },
    })
    await enforcement.apply(revoked({ user: alice }))
    await settled()
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    await clock.advance(30_000)
    await clock.advance(30_000)
    expect(new Set(keys).size).toBe(1)
    expect(keys).toHaveLength(3)
    expect(failures.map(({ attempt, givenUp }) => [attempt, givenUp])).toEqual([
      [1, false],
      [2, false],
    ])
  })
  it('that never succeeds is given up, and says so', async () => {
    const { enforcement, failures } = await started({
      terminate: () => Promise.reject(new Error('no')),
    })
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.stop()
    expect(failures.map(({ givenUp }) => givenUp)).toEqual([false, false, true])
  })
  it('that hangs is told to stop, and neither apply nor another hook waits for it', async () => {
    const signals: AbortSignal[] = []
    const names: string[] = []
    const { enforcement, clock, failures } = await started({
      terminate: ({ signal }) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
      suspend: () => names.push('suspend'),
    })
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.apply(notCompliant({ device: laptop }))
    await settled()
    expect(names).toEqual(['suspend'])
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await clock.advance(1000)
    expect(signals[0]?.aborted).toBe(true)
    expect(failures.map(({ error }) => (error as Error).message)).toEqual([
      'the hook did not finish within 1000 ms',
    ])
  })
  it('of one cause waits for the one before it', async () => {
    const names: string[] = []
    let release = (): void => undefined
    const { enforcement } = await started({
      suspend: async () => {
        await new Promise<void>((resolve) => (release = resolve))
        names.push('suspend')
      },
      restore: () => names.push('restore'),
    })
    await enforcement.apply(notCompliant({ device: laptop }))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    await settled()
    expect(names).toEqual([])
    release()
    await enforcement.stop()
    expect(names).toEqual(['suspend', 'restore'])
  })
  it('leaves no timer behind', async () => {
    const { enforcement, clock } = await started({ terminate: () => undefined })
    await enforcement.apply(revoked({ user: alice }))
    await enforcement.stop()
    expect(clock.sleepers).toBe(0)
  })
})
