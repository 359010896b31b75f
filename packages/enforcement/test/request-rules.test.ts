import { afterEach, describe, expect, it } from '@jest/globals'
import { complex, opaque, StorageError, type SubjectInput } from '@drawbridge/schema'
import {
  changeWindow,
  dataBoundary,
  memoryLedger,
  type ChangeWindow,
  type EnforcementOptions,
  type Ledger,
  type RequestRule,
  type Who,
} from '@drawbridge/enforcement'
import { manualClock, settled } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  idp,
  laptop,
  noon,
  notCompliant,
  startedNode,
  type TestNode,
} from './signals.ts'

const windowFrom = (from: number, to: number): ChangeWindow => ({
  from: new Date((noon + from) * 1000),
  to: new Date((noon + to) * 1000),
})

let approved: ChangeWindow | undefined

const changeRule = changeWindow({
  windowOf: ({ kind }) => (kind === 'service' ? approved : undefined),
  effect: 'restrict',
  terms: { take: ['admin:write'] },
})

const robot: Who = {
  subject: complex({ application: opaque('robot'), session: opaque('run-1') }),
  began: new Date(noon * 1000),
  issuer: idp,
  kind: 'service',
}

const nodes: TestNode[] = []
const nodeWith = async (
  rule: RequestRule,
  options: Partial<EnforcementOptions> = {},
): Promise<TestNode> => {
  const node = await startedNode({ requestRules: [rule], ...options })
  nodes.push(node)
  return node
}
afterEach(async () => {
  for (const { enforcement } of nodes.splice(0)) await enforcement.stop()
})

const asking = ({ enforcement }: TestNode, grant: string, who = robot): string =>
  enforcement.check(who, { requires: [grant] }).outcome

describe('a change window', () => {
  it('S1: takes on the very request that comes after it', async () => {
    approved = windowFrom(0, 61)
    const node = await nodeWith(changeRule)
    expect(asking(node, 'admin:write')).toBe('allow')
    await node.clock.advance(1000)
    expect(asking(node, 'admin:write')).toBe('allow')
    await node.clock.advance(1)
    expect(asking(node, 'admin:write')).toBe('refuse')
    expect(asking(node, 'status:read')).toBe('allow')
    expect(node.enforcement.explain(robot).taken).toMatchObject([
      { effect: 'restrict', cause: { iss: 'local', name: 'change-window' } },
    ])
  })
  it('S1: takes before it as well, and on a request that needs nothing that is taken', async () => {
    approved = windowFrom(100, 200)
    const node = await nodeWith(changeRule)
    expect(asking(node, 'status:read')).toBe('allow')
    expect(node.enforcement.explain(robot).taken).toHaveLength(1)
    expect(asking(node, 'admin:write')).toBe('refuse')
  })
  it('S1: is not given back by the same window, nor by asking again', async () => {
    approved = windowFrom(0, 30)
    const node = await nodeWith(changeRule)
    expect(asking(node, 'admin:write')).toBe('refuse')
    approved = windowFrom(0, 900)
    for (let again = 0; again < 3; again++) {
      expect(asking(node, 'admin:write')).toBe('refuse')
      await node.clock.advance(1000)
    }
    expect(node.told('signal:applied')).toHaveLength(1)
  })
  it('S1: is given back by a window that begins later', async () => {
    approved = windowFrom(0, 30)
    const node = await nodeWith(changeRule)
    expect(asking(node, 'admin:write')).toBe('refuse')
    approved = windowFrom(100, 200)
    await node.clock.advance(30_000)
    expect(asking(node, 'admin:write')).toBe('refuse')
    await node.clock.advance(10_000)
    asking(node, 'admin:write')
    await settled()
    expect(asking(node, 'admin:write')).toBe('allow')
    await node.clock.advance(101_000)
    expect(asking(node, 'admin:write')).toBe('refuse')
  })
  it('S1: is in the ledger, so that another process takes it too', async () => {
    approved = windowFrom(0, 30)
    const ledger = memoryLedger()
    const node = await nodeWith(changeRule, { ledger })
    asking(node, 'admin:write')
    await node.enforcement.stop()
    approved = undefined
    const another = await nodeWith(changeRule, { ledger })
    expect(asking(another, 'admin:write')).toBe('refuse')
  })
  it('whose dates are none is not open', async () => {
    approved = { from: new Date(Number.NaN), to: new Date(Number.NaN) }
    expect(asking(await nodeWith(changeRule), 'admin:write')).toBe('refuse')
  })
  it('takes from a session that needs one, and from no other', async () => {
    approved = windowFrom(0, 30)
    const node = await nodeWith(changeRule)
    expect(asking(node, 'admin:write')).toBe('refuse')
    expect(asking(node, 'admin:write', aliceSince(0))).toBe('allow')
    const next = { ...robot, subject: complex({ session: opaque('run-2') }) }
    approved = windowFrom(0, 300)
    expect(asking(node, 'admin:write', next)).toBe('allow')
  })
})

describe('a data boundary', () => {
  const boundary = dataBoundary({
    grants: ['records:export'],
    mayCross: ({ kind }) => kind === 'service',
    effect: 'suspend',
  })
  const who = aliceSince(0)

  it('takes from who asks for what is behind it, until it is given back', async () => {
    const node = await nodeWith(boundary)
    expect(asking(node, 'records:read', who)).toBe('allow')
    expect(asking(node, 'records:export', who)).toBe('refuse')
    expect(asking(node, 'records:read', who)).toBe('refuse')
    await node.enforcement.giveBack({ on: who.subject, cause: 'data-boundary' })
    expect(asking(node, 'records:read', who)).toBe('allow')
    expect(asking(node, 'records:export', who)).toBe('refuse')
  })
  it('lets cross who may', async () => {
    expect(asking(await nodeWith(boundary), 'records:export')).toBe('allow')
  })
  it('that names nobody lets nobody cross', async () => {
    const closed = dataBoundary({ grants: ['records:export'], effect: 'suspend' })
    expect(asking(await nodeWith(closed), 'records:export')).toBe('refuse')
  })
})

describe('a request rule', () => {
  const ruleOf = (judge: RequestRule['judge'], cause = 'r'): RequestRule => ({
    cause,
    takes: { effect: 'suspend' },
    judge,
  })
  const taking = ruleOf(() => 'take')

  it('that throws lets the request go nowhere', async () => {
    const node = await nodeWith(
      ruleOf(() => {
        throw new Error('no approvals')
      }),
    )
    expect(() => asking(node, 'x')).toThrow('no approvals')
  })
  it('is not asked where something else is in the way', async () => {
    const asked: unknown[] = []
    const node = await nodeWith(ruleOf((request) => void asked.push(request)))
    await node.enforcement.apply(notCompliant({ device: laptop }))
    node.enforcement.check(aliceSince(0))
    expect(asked).toEqual([])
    node.enforcement.check(robot, { requires: ['x'] })
    expect(asked).toMatchObject([
      { who: robot, requires: ['x'], now: new Date(noon * 1000 + 60_000) },
    ])
  })
  it('gives back nothing that it did not take', async () => {
    const node = await nodeWith(ruleOf(() => 'give-back'))
    node.enforcement.check(robot)
    await settled()
    expect(node.told('signal:applied')).toEqual([])
    await node.enforcement.take({ on: robot.subject, cause: 'operator', effect: 'suspend' })
    node.enforcement.check(robot)
    await settled()
    expect(node.enforcement.check(robot).outcome).toBe('refuse')
    expect(node.told('signal:applied')).toHaveLength(1)
  })
  it('takes once, however often it says so', async () => {
    const node = await nodeWith(taking)
    for (let times = 0; times < 3; times++) node.enforcement.check(robot)
    await settled()
    expect(node.told('signal:applied')).toHaveLength(1)
  })
  it('counts on this node while the ledger is down, and is written when it is back', async () => {
    const memory = memoryLedger()
    let isDown = true
    const down = new StorageError('ERR_STORAGE_UNAVAILABLE', 'the disk is full')
    const ledger: Ledger = {
      ...memory,
      write: (entry) => (isDown ? Promise.reject(down) : memory.write(entry)),
    }
    const node = await nodeWith(taking, { ledger })
    expect(node.enforcement.check(robot).outcome).toBe('refuse')
    await settled()
    expect(node.enforcement.check(robot).outcome).toBe('refuse')
    expect(await memory.readAll()).toEqual([])
    isDown = false
    await node.clock.advance(10_000)
    expect(await memory.readAll()).toMatchObject([{ cause: { iss: 'local', name: 'r' } }])
  })
  it('takes although the node that gave back last has a clock that is ahead', async () => {
    const ledger = memoryLedger()
    const judge: RequestRule['judge'] = () => (taken ? 'take' : undefined)
    let taken = true
    const ahead = await nodeWith(ruleOf(judge), {
      ledger,
      clock: manualClock((noon + 90) * 1000),
    })
    ahead.enforcement.check(robot)
    await ahead.enforcement.giveBack({ on: robot.subject, cause: 'r' })
    await ahead.enforcement.stop()
    taken = false
    const node = await nodeWith(ruleOf(judge), { ledger })
    expect(node.enforcement.check(robot).outcome).toBe('allow')
    taken = true
    expect(node.enforcement.check(robot).outcome).toBe('refuse')
  })
  it('uses up no time by being asked: a take after many requests has the T of now', async () => {
    let verdict: 'take' | undefined
    const node = await nodeWith(ruleOf(() => verdict))
    for (let requests = 0; requests < 5000; requests++) node.enforcement.check(robot)
    verdict = 'take'
    node.enforcement.check(robot)
    expect(node.enforcement.explain(robot).taken[0]?.since).toBe(noon + 60)
  })
  it.each<[string, SubjectInput, SubjectInput, string]>([
    [
      'the session, whichever of its tokens it shows',
      complex({ user: alice, session: opaque('s'), token: opaque('t-1') }),
      complex({ user: alice, session: opaque('s'), token: opaque('t-2') }),
      'refuse',
    ],
    [
      'no other session of the user',
      complex({ user: alice, session: opaque('s'), token: opaque('t-1') }),
      complex({ user: alice, session: opaque('other'), token: opaque('t-1') }),
      'allow',
    ],
    [
      'the token where nothing else is known',
      complex({ token: opaque('t-1') }),
      complex({ token: opaque('t-2') }),
      'allow',
    ],
    [
      'the token where all else is shared by many',
      complex({ tenant: opaque('t'), token: opaque('t-1') }),
      complex({ tenant: opaque('t'), token: opaque('t-2') }),
      'allow',
    ],
  ])('takes from %s', async (_, subject, other, outcome) => {
    let isAsked = true
    const node = await nodeWith(ruleOf(() => (isAsked ? 'take' : undefined)))
    const who = { ...robot, subject }
    expect(node.enforcement.check(who).outcome).toBe('refuse')
    isAsked = false
    expect(node.enforcement.check(who).outcome).toBe('refuse')
    expect(node.enforcement.check({ ...robot, subject: other }).outcome).toBe(outcome)
  })
  it('of the ready-made ones that is wrong is named at once, with every mistake', () => {
    const wrong = { effect: 'restrict', terms: { take: 'x' } } as unknown as {
      readonly effect: 'suspend'
    }
    expect(() => changeWindow({ ...wrong, windowOf: 1 as never })).toThrow(
      /changeWindow: .*"windowOf".*"terms\.take"/s,
    )
    expect(() => dataBoundary({ grants: [], effect: 'end' as never })).toThrow(
      /dataBoundary: .*"grants".*"effect"/s,
    )
  })
})
