import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'redis'
import { issSub, jwtId, opaque, type SecurityEvent } from '@drawbridge/schema'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import { AccountDisabled } from '@drawbridge/schema/risc'
import {
  createEnforcement,
  memoryLedger,
  memorySessions,
  recommendedPolicy,
  type Enforcement,
  type LedgerFollower,
  type SessionStore,
} from '@drawbridge/enforcement'
import { redisLedger } from '@drawbridge/enforcement/redis'
import { redisSessions } from '@drawbridge/enforcement/redis-sessions'
import { agentOf, chainOf, human, helperOf, robot } from './delegation-chain.ts'
import { gatewayHooks, toldOf, upstreamOf } from './delegation-gateway.ts'
import { peerThat, status, type HttpPeer } from './ready-made-peer.ts'
import { durable, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import {
  alice,
  idp,
  laptop,
  passwordChanged,
  revoked,
  signal,
  startedNode,
  type TestNode,
} from './signals.ts'

const bob = human({ subject: { user: issSub(idp, 'bob'), session: opaque('s-bob') } })
const byGrant = agentOf(human(), { endsWith: 'grant' })

const revokedAt = ({ asked }: HttpPeer): readonly string[] =>
  asked.map(({ body }) => new URLSearchParams(body).get('token') ?? '').toSorted()

/** The gateway's upstream tokens: of the agent, of what it called in, by a grant, and of others. */
const upstreams = [
  upstreamOf(agentOf(), 'of-agent'),
  upstreamOf(helperOf(), 'of-helper'),
  upstreamOf(byGrant, 'of-grant'),
  upstreamOf(agentOf(), 'by-grant', { endsWith: 'grant' }),
  upstreamOf(agentOf(bob), 'of-bob'),
  upstreamOf(human(), 'of-herself'),
]

interface Gateway extends TestNode {
  readonly store: SessionStore
  readonly peer: HttpPeer
  /** Applies a signal, and waits for a hook to be over. */
  hears(event: SecurityEvent): Promise<void>
}

async function gatewayWith(peerOf = () => peerThat(status(200))): Promise<Gateway> {
  const [peer, store] = [await peerOf(), memorySessions()]
  const node = await startedNode({
    sessions: store.find,
    hooks: gatewayHooks(peer.url, () => store),
    hookRetry: { attempts: 4, firstMs: 1000, longestMs: 1000 },
  })
  for (const one of upstreams) await store.register(one, node.enforcement)
  // People and agents have sessions in the same store, and no tokens elsewhere.
  await store.put({ id: 'hers', ...human() })
  await store.put({ id: 'agent', ...agentOf() })
  const hears = async (event: SecurityEvent): Promise<void> => {
    const over = toldOf(node.enforcement, 'hook:succeeded')
    await node.enforcement.apply(event)
    await over
  }
  return { ...node, store, peer, hears }
}

describe('tokens that a gateway got elsewhere for an agent', () => {
  it.each<[string, SecurityEvent, readonly string[]]>([
    [
      'she signs out',
      revoked({ user: alice, session: opaque('s-1') }),
      ['of-agent', 'of-helper', 'of-herself'],
    ],
    [
      'her device is given up',
      revoked({ device: laptop }),
      ['of-agent', 'of-helper', 'of-herself'],
    ],
    [
      'the token of the agent is revoked',
      revoked({ token: jwtId(idp, 'at-1') }),
      ['of-agent', 'of-bob', 'of-grant', 'of-helper'],
    ],
    ['the helper is ended', revoked({ session: opaque('h-1') }), ['of-helper']],
    [
      'she is disabled',
      signal(AccountDisabled, { user: alice }),
      ['by-grant', 'of-agent', 'of-grant', 'of-helper', 'of-herself'],
    ],
    [
      'all of her tokens are revoked',
      signal(TokensRevoked, { user: alice }),
      ['by-grant', 'of-agent', 'of-grant', 'of-helper', 'of-herself'],
    ],
    [
      'the agent is disabled',
      signal(AccountDisabled, { user: robot }),
      ['by-grant', 'of-agent', 'of-bob', 'of-grant', 'of-helper'],
    ],
    ['the token is named itself', revoked({ token: opaque('hash of of-grant') }), ['of-grant']],
  ])('are revoked, these and no others: %s', async (_, event, tokens) => {
    const { peer, hears, enforcement } = await gatewayWith()
    await hears(event)
    expect(revokedAt(peer)).toEqual(tokens)
    await enforcement.apply(event)
    await enforcement.stop()
    expect(revokedAt(peer)).toEqual(tokens)
    const { headers, body } = peer.asked[0] ?? {}
    expect(headers?.authorization).toBe(`Basic ${btoa('gateway:secret')}`)
    expect(body).toContain('token_type_hint=access_token')
  })
  it('live on where she is only asked to log in again', async () => {
    const { peer, enforcement } = await gatewayWith()
    await enforcement.apply(passwordChanged({ user: alice }))
    await enforcement.stop()
    expect(peer.asked).toEqual([])
    expect(enforcement.check(upstreamOf(agentOf(), 'of-agent')).outcome).not.toBe('allow')
  })
  it('by a grant survive that she signs out, and die when she is disabled; none is revoked twice', async () => {
    const { peer, hears, enforcement, store } = await gatewayWith()
    await hears(revoked({ user: alice }))
    expect(revokedAt(peer)).toEqual(['of-agent', 'of-helper', 'of-herself'])
    expect(enforcement.check(upstreamOf(byGrant, 'of-grant')).outcome).toBe('allow')
    expect(await store.read('upstream of-agent')).toBeUndefined()
    peer.asked.splice(0)
    const suspended = toldOf(enforcement, 'hook:succeeded', ({ name }) => name === 'suspend')
    await enforcement.apply(signal(AccountDisabled, { user: alice }))
    await suspended
    expect(revokedAt(peer)).toEqual(['by-grant', 'of-grant'])
    expect(await store.read('hers')).toBeDefined()
  })
  it('are revoked as soon as the endpoint is back', async () => {
    let isDown = true
    const answer = () => peerThat((...asked) => status(isDown ? 503 : 200)(...asked))
    const { peer, enforcement, clock, store } = await gatewayWith(answer)
    const failures: number[] = []
    enforcement.events.on('hook:failed', ({ attempt }) => failures.push(attempt))
    const failed = (count: number): Promise<unknown> =>
      toldOf(enforcement, 'hook:failed', ({ attempt }) => attempt === count)
    const [first, second] = [failed(1), failed(2)]
    await enforcement.apply(revoked({ session: opaque('h-1') }))
    await first
    expect(enforcement.check(upstreamOf(helperOf(), 'of-helper')).effect).toBe('terminate')
    expect(await store.read('upstream of-helper')).toBeDefined()
    await clock.advance(1000)
    await second
    isDown = false
    const succeeded = toldOf(enforcement, 'hook:succeeded')
    await clock.advance(1000)
    expect(await succeeded).toMatchObject({ name: 'terminate', attempt: 3 })
    expect(failures).toEqual([1, 2])
    expect(revokedAt(peer)).toEqual(['of-helper', 'of-helper', 'of-helper'])
    expect(await store.read('upstream of-helper')).toBeUndefined()
  })
  it('that are registered under what has ended meanwhile are ended, and leave nothing', async () => {
    const { enforcement, store } = await gatewayWith()
    await enforcement.apply(revoked({ user: alice }))
    for (const parent of [agentOf(), helperOf()]) {
      const late = upstreamOf(parent, 'late')
      const decision = await store.register(late, enforcement)
      expect(decision).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
      expect(await store.read(late.id)).toBeUndefined()
      expect(await store.find(opaque('hash of late'))).toEqual([])
    }
    const granted = upstreamOf(chainOf('grant', 'session'), 'granted')
    expect(await store.register(granted, enforcement)).toMatchObject({ outcome: 'allow' })
    expect(await store.read(granted.id)).toEqual(granted)
  })
})

describe('an upstream token that is registered on a node which has not heard of the signal yet', () => {
  it('is not found by the hook of the other node: to watch it is what ends it', async () => {
    const [peer, store, memory] = [await peerThat(status(200)), memorySessions(), memoryLedger()]
    let follower: LedgerFollower | undefined
    const follow = async (one: LedgerFollower): Promise<void> => {
      follower = one
      one.heard()
    }
    const hooks = gatewayHooks(peer.url, () => store)
    const hearing = await startedNode({ ledger: memory, sessions: store.find, hooks })
    const { enforcement } = await startedNode({ ledger: { ...memoryLedger(), follow } })
    const over = toldOf(hearing.enforcement, 'hook:succeeded')
    await hearing.enforcement.apply(revoked({ user: alice }))
    await over

    const upstream = upstreamOf(agentOf(), 'in-between')
    expect(await store.register(upstream, enforcement)).toMatchObject({ outcome: 'allow' })
    const watched = enforcement.signal(upstream)
    follower?.put(await memory.readAll())
    expect(watched.aborted).toBe(true)
    expect(peer.asked).toEqual([])
  })
})

const title = 'upstream tokens on two nodes with one Redis'
const describeWithRedis = hasRedisServer(title) ? describe : describe.skip

describeWithRedis(title, () => {
  let redis: RedisServer
  const stops: (() => unknown)[] = []
  beforeAll(async () => {
    redis = await startRedis(durable)
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop()
  })
  afterAll(() => redis.remove())

  interface RedisGateway {
    readonly enforcement: Enforcement
    readonly store: SessionStore
    readonly ran: readonly string[]
  }

  const gatewayAt = async (peer: HttpPeer): Promise<RedisGateway> => {
    const [forLedger, forSessions] = [redis.url, redis.url].map((url) => createClient({ url }))
    if (!forLedger || !forSessions) throw new Error('no clients')
    await forSessions.connect()
    stops.push(() => forSessions.destroy())
    const store = redisSessions(forSessions)
    const enforcement = createEnforcement({
      ledger: redisLedger(forLedger, { heartbeatMs: 50 }),
      policy: recommendedPolicy(),
      sessions: store.find,
      hooks: gatewayHooks(peer.url, () => store),
    })
    const ran: string[] = []
    enforcement.events.on('hook:succeeded', ({ name }) => ran.push(name))
    await enforcement.start()
    stops.push(() => enforcement.stop())
    return { enforcement, store, ran }
  }

  it('are revoked by the node that hears the signal, whichever registered them, and once', async () => {
    const peer = await peerThat(status(200))
    const [one, two] = [await gatewayAt(peer), await gatewayAt(peer)]
    for (const [place, upstream] of upstreams.entries()) {
      const { store, enforcement } = place % 2 === 0 ? one : two
      expect(await store.register(upstream, enforcement)).toMatchObject({ outcome: 'allow' })
    }
    const event = revoked({ user: alice }, { jti: 'signs-out' })
    const over = toldOf(one.enforcement, 'hook:succeeded')
    const followed = toldOf(
      two.enforcement,
      'signal:followed',
      ({ cause }) => cause.jti === 'signs-out',
    )
    await one.enforcement.apply(event)
    await Promise.all([over, followed])
    expect(revokedAt(peer)).toEqual(['of-agent', 'of-helper', 'of-herself'])
    await two.enforcement.apply(event)
    const late = upstreamOf(agentOf(), 'late')
    expect(await two.store.register(late, two.enforcement)).toMatchObject({ effect: 'terminate' })
    expect(await one.store.read(late.id)).toBeUndefined()

    peer.asked.splice(0)
    const suspended = toldOf(two.enforcement, 'hook:succeeded')
    await two.enforcement.apply(signal(AccountDisabled, { user: alice }))
    await suspended
    expect(revokedAt(peer)).toEqual(['by-grant', 'of-grant'])
    expect([one.ran, two.ran]).toEqual([['terminate'], ['suspend']])
  })
})
