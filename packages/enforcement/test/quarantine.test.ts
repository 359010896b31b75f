import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'redis'
import { email, issSub } from '@drawbridge/schema'
import { AccountDisabled, AccountEnabled, IdentifierRecycled } from '@drawbridge/schema/risc'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type Ledger,
} from '@drawbridge/enforcement'
import { redisLedger } from '@drawbridge/enforcement/redis'
import { effectsOn, sessionOf, user, watchedNode, type WatchedNode } from './blast-radius.ts'
import { durable, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import { idp, noon, revoked, signal } from './signals.ts'

const reason = 'it ends sessions of people who are at work'

const revoke = async ({ enforcement }: WatchedNode, ...ids: readonly string[]): Promise<void> => {
  for (const id of ids) await enforcement.apply(revoked({ user: user(id) }))
}

describe('a Transmitter in quarantine', () => {
  it('takes nothing, is acknowledged, and its signals are recorded as observed', async () => {
    const node = await watchedNode()
    await node.enforcement.quarantine(idp, { reason, by: 'olga' })
    await revoke(node, 'a')
    await node.enforcement.apply(signal(AccountDisabled, user('a')))
    const decision = node.enforcement.check(sessionOf('a'))
    expect(decision).toMatchObject({ outcome: 'allow', observed: [{}, {}] })
    expect(node.told('signal:applied')).toMatchObject([{ observed: true }, { observed: true }])
    expect(node.acts).toEqual([['transmitter:quarantined', { iss: idp, reason, by: 'olga' }]])
  })
  it('keeps what it took before, and cannot lift it', async () => {
    const node = await watchedNode()
    await node.enforcement.apply(signal(AccountDisabled, user('a')))
    await revoke(node, 'b')
    await node.enforcement.quarantine(idp, { reason })
    // A later one would take the place of the first, and a lift would give it back.
    await node.enforcement.apply(signal(AccountDisabled, user('a'), { at: noon + 1 }))
    expect(effectsOn(node, ['a', 'b'])).toEqual(['suspend', 'terminate'])
    await node.enforcement.apply(signal(AccountEnabled, user('a'), { at: noon + 2 }))
    expect(effectsOn(node, ['a', 'b'])).toEqual(['suspend', 'terminate'])
  })
  it('runs no hook', async () => {
    const calls: string[] = []
    const call = ({ name }: { name: string }): void => void calls.push(name)
    const node = await watchedNode({ hooks: { terminate: call, suspend: call, restore: call } })
    await node.enforcement.quarantine(idp, { reason })
    await revoke(node, 'a')
    await node.enforcement.apply(signal(AccountDisabled, user('a')))
    await node.enforcement.apply(signal(AccountEnabled, user('a'), { at: noon + 1 }))
    await node.enforcement.stop()
    expect(calls).toEqual([])
  })
  it('gives no address to somebody else', async () => {
    const node = await watchedNode()
    const address = email('a@example.com')
    const who = { ...sessionOf('a'), subject: { user: address }, issuer: idp }
    await node.enforcement.apply(signal(AccountDisabled, address, { at: noon - 300 }))
    await node.enforcement.quarantine(idp, { reason })
    await node.enforcement.apply(signal(IdentifierRecycled, address, { at: noon - 200 }))
    expect(node.enforcement.check(who).effect).toBe('suspend')
  })
  it('is one, and others go on', async () => {
    const other = 'https://other.example'
    const node = await watchedNode()
    await node.enforcement.quarantine(other, { reason })
    await revoke(node, 'a')
    await node.enforcement.take({ on: user('b'), cause: 'incident', effect: 'suspend' })
    expect(effectsOn(node, ['a', 'b'])).toEqual(['terminate', 'suspend'])
  })
  it('is meant by each of its names', async () => {
    const alias = 'https://login.idp.example'
    const node = await watchedNode({ issuerAliases: { [idp]: [alias] } })
    await node.enforcement.quarantine(alias, { reason })
    await revoke(node, 'a')
    await node.enforcement.apply(revoked({ user: issSub(alias, 'b') }, { iss: alias }))
    expect(effectsOn(node, ['a', 'b'])).toEqual(['none', 'none'])
  })
  it('is in it after a restart as well, until that is ended', async () => {
    const kept = memoryLedger()
    const ledger: Ledger = { ...kept }
    const first = await watchedNode({ ledger })
    await first.enforcement.quarantine(idp, { reason })
    await first.enforcement.stop()
    const second = await watchedNode({ ledger })
    await revoke(second, 'a')
    expect(effectsOn(second, ['a'])).toEqual(['none'])
    await second.enforcement.endQuarantine(idp)
    await second.enforcement.stop()
    const third = await watchedNode({ ledger })
    await revoke(third, 'b')
    expect(effectsOn(third, ['a', 'b'])).toEqual(['none', 'terminate'])
    await third.enforcement.stop()
  })
  it('is in it as long as the ledger says so, which is read anew at each start', async () => {
    const memory = memoryLedger()
    let isAnother = false
    const ledger: Ledger = { ...memory, readAll: async () => (isAnother ? [] : memory.readAll()) }
    const node = await watchedNode({ ledger })
    await node.enforcement.quarantine(idp, { reason })
    await node.enforcement.stop()
    isAnother = true
    await node.enforcement.start()
    await revoke(node, 'a')
    expect(effectsOn(node, ['a'])).toEqual(['terminate'])
    await node.enforcement.stop()
  })
  it('shows in a dry run', async () => {
    const { enforcement } = await watchedNode()
    await enforcement.quarantine(idp, { reason })
    const [run] = await enforcement.dryRun(revoked({ user: user('a') }), [sessionOf('a')])
    expect(run?.after).toMatchObject({ taken: [], observed: [{ effect: 'terminate' }] })
  })
  it('has to be named, with a reason', async () => {
    const { enforcement } = await watchedNode()
    await expect(enforcement.quarantine('', {} as never)).rejects.toMatchObject({
      mistakes: ['"iss" must be the issuer of a Transmitter', '"reason" must say why'],
    })
  })
})

describe('a quarantine that has ended', () => {
  it('is told of, and new signals count', async () => {
    const node = await watchedNode()
    await node.enforcement.quarantine(idp, { reason })
    await node.enforcement.endQuarantine(idp, { by: 'otto' })
    await node.enforcement.endQuarantine(idp)
    await revoke(node, 'a')
    expect(effectsOn(node, ['a'])).toEqual(['terminate'])
    expect(node.acts.slice(1)).toEqual([['transmitter:reinstated', { iss: idp, by: 'otto' }]])
  })
  it('leaves what came meanwhile without effect, also when it is delivered once more', async () => {
    const node = await watchedNode()
    const seen = [revoked({ user: user('a') }), signal(AccountDisabled, user('b'))]
    await node.enforcement.quarantine(idp, { reason })
    for (const event of seen) await node.enforcement.apply(event)
    await node.enforcement.endQuarantine(idp)
    for (const event of seen) await node.enforcement.apply(event)
    expect(effectsOn(node, ['a', 'b'])).toEqual(['none', 'none'])
    await node.enforcement.apply(signal(AccountDisabled, user('b'), { at: noon - 1 }))
    expect(effectsOn(node, ['a', 'b'])).toEqual(['none', 'suspend'])
  })
  it('leaves nothing in the ledger for longer than sessions live', async () => {
    const ledger = memoryLedger()
    const node = await watchedNode({ ledger, longestSessionSeconds: 600 })
    await node.enforcement.quarantine(idp, { reason })
    await node.enforcement.apply(signal(AccountDisabled, user('b')))
    await node.enforcement.endQuarantine(idp)
    await node.clock.advance(7_200_000)
    await revoke(node, 'c')
    const observed = (await ledger.readAll()).filter(({ observed: isObserved }) => isObserved)
    expect(observed).toEqual([])
  })
})

const title = 'a quarantine with one Redis'
const describeWithRedis = hasRedisServer(title) ? describe : describe.skip

describeWithRedis(title, () => {
  let redis: RedisServer
  const nodes: Enforcement[] = []
  beforeAll(async () => {
    redis = await startRedis(durable)
  })
  afterAll(async () => {
    for (const node of nodes) await node.stop()
    await redis.remove()
  })
  const nodeAt = async (): Promise<Enforcement> => {
    const ledger = redisLedger(createClient({ url: redis.url }))
    const enforcement = createEnforcement({ ledger, policy: recommendedPolicy() })
    await enforcement.start()
    nodes.push(enforcement)
    return enforcement
  }

  it('holds on every node, and undone is undone on every node', async () => {
    const [one, other] = [await nodeAt(), await nodeAt()]
    const followed: string[] = []
    const heard = new Promise<void>((resolve) => {
      other.events.on('signal:followed', ({ cause }) => {
        followed.push(cause.name)
        if (cause.name === 'incident') resolve()
      })
    })
    await one.apply(revoked({ user: user('a') }))
    await one.quarantine(idp, { reason })
    await one.undo({ iss: idp, since: new Date(0) })
    // What comes after an act in the feed is heard after it.
    await one.take({ on: user('z'), cause: 'incident', effect: 'suspend' })
    await heard
    expect(followed).toEqual(['session-revoked', 'incident'])
    expect(other.check(sessionOf('a')).outcome).toBe('allow')
    await other.apply(revoked({ user: user('b') }))
    expect(other.check(sessionOf('b')).outcome).toBe('allow')
  })
})
