import { describe, expect, it } from '@jest/globals'
import { opaque, type Subject } from '@drawbridge/schema'
import { DeviceComplianceChange } from '@drawbridge/schema/caep'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type Policy,
  type Who,
} from '@drawbridge/enforcement'
import { memorySessions } from '../src/sessions/memory.ts'
import { registerIn } from '../src/sessions/register.ts'
import type { RegisteredSession } from '../src/sessions/sessions.ts'
import { manualClock } from '@drawbridge/testkit'
import {
  alice,
  compliant,
  idp,
  laptop,
  notCompliant,
  noon,
  passwordChanged,
  revoked,
} from './signals.ts'

const login = (more: Partial<RegisteredSession> = {}): RegisteredSession => ({
  id: 's-1',
  subject: { user: alice, device: laptop, session: opaque('s-1') },
  began: new Date((noon - 60) * 1000),
  ...more,
})

async function started(policy: Policy = recommendedPolicy()): Promise<Enforcement> {
  const clock = manualClock(noon * 1000)
  const ledger = memoryLedger()
  const enforcement = createEnforcement({ ledger, policy, clock })
  await enforcement.start()
  return enforcement
}

describe('registering a session', () => {
  it('lets one in that no signal reaches', async () => {
    const [store, enforcement] = [memorySessions(), await started()]
    expect(await store.register(login(), enforcement)).toMatchObject({ outcome: 'allow' })
    expect(await store.find(alice)).toHaveLength(1)
    await enforcement.stop()
  })

  it('ends one at once whose signal came before it existed', async () => {
    const [store, enforcement] = [memorySessions(), await started()]
    await enforcement.apply(revoked(alice))
    const decision = await store.register(login(), enforcement)
    expect(decision).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
    expect(await store.read('s-1')).toBeUndefined()
    await enforcement.stop()
  })

  it('ends one at once whose signal came while it was written', async () => {
    const [store, enforcement] = [memorySessions(), await started()]
    const put = async (session: RegisteredSession): Promise<void> => {
      await enforcement.apply(revoked(alice))
      await store.put(session)
    }
    const decision = await registerIn({ put, remove: store.remove }, login(), enforcement)
    expect(decision).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
    expect(await store.find(alice)).toEqual([])
    await enforcement.stop()
  })

  it('keeps one that its user or a counter-signal can give back', async () => {
    const [store, enforcement] = [memorySessions(), await started()]
    await enforcement.apply(notCompliant(laptop))
    const decision = await store.register(login(), enforcement)
    expect(decision.outcome).not.toBe('allow')
    expect(await store.read('s-1')).toBeDefined()
    await enforcement.apply(compliant(laptop, { at: noon + 1 }))
    expect(await store.register(login(), enforcement)).toMatchObject({ outcome: 'allow' })
    await enforcement.stop()
  })

  it('lets one in with what is left to it where grants were taken', async () => {
    const policy = createPolicy([
      { on: DeviceComplianceChange, effect: 'restrict', terms: { leave: ['files:read'] } },
    ])
    const [store, enforcement] = [memorySessions(), await started(policy)]
    await enforcement.apply(notCompliant(laptop))
    const decision = await store.register(login(), enforcement)
    expect(decision).toMatchObject({ outcome: 'allow', effect: 'restrict' })
    expect(await store.read('s-1')).toBeDefined()
    await enforcement.stop()
  })

  it('keeps one while the ledger has not been read, and lets nobody in', async () => {
    const store = memorySessions()
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    expect(await store.register(login(), enforcement)).toMatchObject({ outcome: 'refuse' })
    expect(await store.read('s-1')).toBeDefined()
  })

  it('asks nobody about a session that could not be written', async () => {
    const never = {
      check: () => {
        throw new Error('asked')
      },
    }
    const bad = { ...login(), began: undefined as never }
    await expect(memorySessions().register(bad, never)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })
})

describe('what a session has to have', () => {
  const mistakesIn = async (session: unknown): Promise<readonly string[]> =>
    memorySessions()
      .put(session as never)
      .then(
        () => [],
        (error: unknown) => (error as { readonly mistakes: readonly string[] }).mistakes,
      )

  it('has nothing to say against a sound one', async () => {
    const delegator = { subject: alice, began: new Date() }
    expect(await mistakesIn(login({ expires: new Date(), delegator }))).toEqual([])
  })

  it('names every mistake, as the caller wrote it', async () => {
    expect(
      await mistakesIn({
        id: 7,
        subject: { device: laptop },
        kind: 'robot',
        delegator: { subject: { user: { format: 'opaque' } } },
        expires: new Date(Number.NaN),
      }),
    ).toEqual([
      '"session.id" must be a text that is not empty',
      '"session.began" must be a valid Date',
      expect.stringContaining(
        '"session.issuer" must say who logged the user in, unless "session.subject.user"',
      ),
      expect.stringContaining('"session.kind" must be one of'),
      '"session.delegator.began" must be a valid Date',
      expect.stringContaining('"session.delegator.subject.user.id"'),
      '"session.expires" must be a valid Date',
    ])
  })

  it.each([undefined, null, 'a', 7])('refuses %p', async (session) => {
    expect(await mistakesIn(session)).toEqual(['"session" must be an object'])
  })

  it.each([
    [{ expires: '2030-01-01' }, '"session.expires"'],
    [{ subject: {}, issuer: idp }, '"session.subject"'],
    [{ delegator: { began: new Date() } }, '"session.delegator.subject"'],
    [{ delegator: 'alice' }, '"session.delegator" must be who delegated'],
    [{ delegator: null }, '"session.delegator" must be who delegated'],
    [{ id: '' }, '"session.id"'],
  ])('refuses %j', async (more, named) => {
    expect(await mistakesIn({ ...login(), ...more })).toEqual([expect.stringContaining(named)])
  })
})

describe('the sessions of an enforcement', () => {
  it('are what "find" of a store gives', async () => {
    const { find, put } = memorySessions()
    // What the option "sessions" takes.
    const sessions: (subject: Subject) => readonly Who[] | Promise<readonly Who[]> = find
    await put(login())
    expect(await sessions(alice)).toMatchObject([{ id: 's-1', subject: { user: alice } }])
    expect(passwordChanged(alice).subject).toEqual(alice)
  })
})
