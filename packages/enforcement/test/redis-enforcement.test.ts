import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'redis'
import { issSub, opaque } from '@drawbridge/schema'
import {
  createEnforcement,
  recommendedPolicy,
  type Enforcement,
  type EnforcementEvents,
  type EnforcementOptions,
  type Who,
} from '@drawbridge/enforcement'
import { redisLedger } from '@drawbridge/enforcement/redis'
import { startProxy, type Proxy } from './redis-proxy.ts'
import { durable, forgetful, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import { aliceSince, compliant, idp, laptop, noon, notCompliant, revoked } from './signals.ts'

const title = 'enforcement on several nodes with one Redis'
const describeWithRedis = hasRedisServer(title) ? describe : describe.skip

const user = (id: string): Who => ({
  subject: { user: issSub(idp, id), device: laptop, session: opaque(`s-${id}`) },
  began: new Date((noon - 60) * 1000),
})

interface ClusterNode {
  readonly enforcement: Enforcement
  /** Resolves when this node tells of something that holds. */
  told<Name extends keyof EnforcementEvents>(
    name: Name,
    holds?: (event: EnforcementEvents[Name]) => boolean,
  ): Promise<EnforcementEvents[Name]>
  outcome(who: Who): string
}

/** Limits are for the tests that reach them: how long the rest takes is the machine's business. */
type NodeOptions = Partial<EnforcementOptions> & { readonly commandTimeoutMs?: number }

describeWithRedis(title, () => {
  let redis: RedisServer
  const stops: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    redis = await startRedis(durable)
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
    await redis.restart(durable)
    await redis.command('FLUSHALL')
  })
  afterAll(() => redis.remove())

  const nodeAt = async (
    url = redis.url,
    { commandTimeoutMs = 20_000, ...options }: NodeOptions = {},
  ): Promise<ClusterNode> => {
    const enforcement = createEnforcement({
      ledger: redisLedger(createClient({ url }), { heartbeatMs: 50, commandTimeoutMs }),
      policy: recommendedPolicy(),
      maxStalenessMs: 60_000,
      ...options,
    })
    await enforcement.start()
    stops.push(() => enforcement.stop())
    return {
      enforcement,
      outcome: (who) => enforcement.check(who).outcome,
      told: (name, holds = () => true) =>
        new Promise((resolve) => {
          enforcement.events.on(name, (event) => {
            if (holds(event)) resolve(event)
          })
        }),
    }
  }
  const proxy = async (delayMs = 0): Promise<Proxy> => {
    const made = await startProxy(redis.port, delayMs)
    stops.push(() => made.close())
    return made
  }
  const followed = (node: ClusterNode, jti: string): Promise<unknown> =>
    node.told('signal:followed', ({ cause }) => cause.jti === jti)

  it('a signal that one node applies is refused by the other, and given back by either', async () => {
    const [one, two] = [await nodeAt(), await nodeAt()]
    const signal = two.enforcement.signal(user('alice'))
    const cut = followed(two, 'bad')
    await one.enforcement.apply(notCompliant(laptop, { jti: 'bad' }))
    await cut
    expect([one.outcome(user('alice')), two.outcome(user('alice'))]).toEqual(['refuse', 'refuse'])
    expect(signal.reason).toMatchObject({ name: 'AccessEndedError', effect: 'suspend' })
    const back = followed(one, 'good')
    await two.enforcement.apply(compliant(laptop, { jti: 'good', at: noon + 1 }))
    await back
    expect([one.outcome(user('alice')), two.outcome(user('alice'))]).toEqual(['allow', 'allow'])
  })

  it('a node that starts later knows what was decided before', async () => {
    const one = await nodeAt()
    await one.enforcement.apply(revoked({ user: issSub(idp, 'alice') }))
    const two = await nodeAt()
    expect([two.outcome(user('alice')), two.outcome(user('bob'))]).toEqual(['refuse', 'allow'])
  })

  it('hooks run on the node that applied the signal, and on no other', async () => {
    const ran: string[] = []
    const hooks = (name: string): Partial<EnforcementOptions> => ({
      hooks: { terminate: () => ran.push(name) },
    })
    const one = await nodeAt(redis.url, hooks('one'))
    const two = await nodeAt(redis.url, hooks('two'))
    const there = followed(two, 'cut')
    await one.enforcement.apply(revoked({ user: issSub(idp, 'alice') }, { jti: 'cut' }))
    await there
    await two.enforcement.apply(revoked({ user: issSub(idp, 'alice') }, { jti: 'cut' }))
    await Promise.all([one.enforcement.stop(), two.enforcement.stop()])
    expect(ran).toEqual(['one'])
  })

  it('a Redis that is away: what is known is refused, the rest when stale, and it heals by itself', async () => {
    const way = await proxy()
    const [one, two] = [await nodeAt(), await nodeAt(way.url, { maxStalenessMs: 2000 })]
    const known = followed(two, 'known')
    await one.enforcement.apply(revoked({ user: issSub(idp, 'alice') }, { jti: 'known' }))
    await known
    const open = two.enforcement.signal(user('bob'))
    const stale = two.told('ledger:stale')
    await way.cut()
    expect([two.outcome(user('alice')), two.outcome(user('bob'))]).toEqual(['refuse', 'allow'])
    await stale
    const decision = two.enforcement.check(user('bob'))
    expect(decision).toMatchObject({ outcome: 'refuse', causes: [] })
    expect(decision.outcome !== 'allow' && decision.response().status).toBe(503)
    expect(open.aborted).toBe(true)
    expect(two.enforcement.check(user('alice'))).toMatchObject({ effect: 'terminate' })
    // What happened meanwhile is known before anybody is let in again.
    await one.enforcement.apply(revoked({ user: issSub(idp, 'bob') }))
    const fresh = two.told('ledger:fresh')
    await way.open()
    await fresh
    expect([two.outcome(user('bob')), two.outcome(user('carol'))]).toEqual(['refuse', 'allow'])
  })

  it('a stale node goes on where that was written, and refuses what it knows', async () => {
    const way = await proxy()
    const node = await nodeAt(way.url, { maxStalenessMs: 300, onStale: 'allow' })
    await node.enforcement.apply(revoked({ user: issSub(idp, 'alice') }))
    const stale = node.told('ledger:stale')
    await way.cut()
    await stale
    expect([node.outcome(user('alice')), node.outcome(user('bob'))]).toEqual(['refuse', 'allow'])
  })

  it('a signal that arrives while Redis is stopped counts here at once, is not acknowledged, and is written later', async () => {
    const [one, two] = [await nodeAt(redis.url, { commandTimeoutMs: 3000 }), await nodeAt()]
    redis.pause()
    const signal = revoked({ user: issSub(idp, 'alice') }, { jti: 'meanwhile' })
    await expect(one.enforcement.apply(signal)).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
    expect([one.outcome(user('alice')), two.outcome(user('alice'))]).toEqual(['refuse', 'allow'])
    const there = followed(two, 'meanwhile')
    redis.resume()
    await there
    expect(two.outcome(user('alice'))).toBe('refuse')
  })

  it('a Redis that was emptied is noticed, and written again from what the nodes know', async () => {
    const [one, two] = [await nodeAt(), await nodeAt()]
    const there = followed(two, 'kept')
    await one.enforcement.apply(revoked({ user: issSub(idp, 'alice') }, { jti: 'kept' }))
    await there
    const lost = Promise.race([one.told('ledger:lost'), two.told('ledger:lost')])
    await redis.command('FLUSHALL')
    await lost
    expect([one.outcome(user('alice')), two.outcome(user('alice'))]).toEqual(['refuse', 'refuse'])
    const heard = followed(one, 'after')
    await two.enforcement.apply(revoked({ user: issSub(idp, 'bob') }, { jti: 'after' }))
    await heard
    const late = await nodeAt()
    expect([late.outcome(user('alice')), late.outcome(user('bob'))]).toEqual(['refuse', 'refuse'])
  })

  it('a Redis that forgets and is restarted lets nobody in again', async () => {
    await redis.restart(forgetful)
    const [one, two] = [await nodeAt(), await nodeAt()]
    const there = followed(two, 'kept')
    await one.enforcement.apply(revoked({ user: issSub(idp, 'alice') }, { jti: 'kept' }))
    await there
    const lost = Promise.all([one.told('ledger:lost'), two.told('ledger:lost')])
    const over = new AbortController()
    const watching = (async () => {
      while (!over.signal.aborted) {
        expect([one.outcome(user('alice')), two.outcome(user('alice'))]).toEqual([
          'refuse',
          'refuse',
        ])
        await new Promise(setImmediate)
      }
    })()
    await redis.restart(forgetful)
    await Promise.race([lost, one.told('ledger:lost'), two.told('ledger:lost')])
    const heard = followed(one, 'after')
    await two.enforcement.apply(revoked({ user: issSub(idp, 'bob') }, { jti: 'after' }))
    await heard
    over.abort()
    await watching
    expect(one.outcome(user('bob'))).toBe('refuse')
  })

  it('a Redis that is slow under load: each signal is refused everywhere in the end, none meanwhile let in again', async () => {
    const way = await proxy(20)
    const [one, two] = [await nodeAt(), await nodeAt(way.url)]
    const names = Array.from({ length: 300 }, (_, place) => `user-${place}`)
    const last = Promise.all(names.map((name) => followed(two, name)))
    const checked = names.map(async (name) => {
      await one.enforcement.apply(revoked({ user: issSub(idp, name) }, { jti: name }))
      expect(one.outcome(user(name))).toBe('refuse')
    })
    await Promise.all([...checked, last])
    expect(names.filter((name) => two.outcome(user(name)) !== 'refuse')).toEqual([])
    expect(two.outcome(aliceSince(-60))).toBe('allow')
  })
})
