import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { complex, issSub, opaque } from '@drawbridge/schema'
import { redisSessions, type RedisSessionsClient } from '../src/sessions/redis.ts'
import type { RegisteredSession, SessionStore } from '../src/sessions/sessions.ts'
import { manualClock } from '@drawbridge/testkit'
import { forgetful, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import { alice, idp, laptop } from './signals.ts'

const hasRedis = hasRedisServer('sessions in Redis')
const describeRedis = hasRedis ? describe : describe.skip

const hour = 3_600_000
const nowMs = Date.now()
const bob = issSub(idp, 'bob')
const acme = opaque('acme')

const session = (id: string, more: Partial<RegisteredSession> = {}): RegisteredSession => ({
  id,
  subject: { user: alice },
  began: new Date(nowMs),
  ...more,
})

const inHours = (hours: number): Date => new Date(nowMs + hours * hour)

const clientOf = (url: string) => createClient({ url, disableOfflineQueue: true })

describe('the options of sessions in Redis', () => {
  it('takes every client of the package redis', () => {
    const clients: readonly RedisSessionsClient[] = [
      createClient(),
      createClient({ RESP: 3 }),
      createClientPool(),
      createCluster({ rootNodes: [] }),
      createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
    ]
    for (const client of clients) expect(typeof redisSessions(client).find).toBe('function')
  })

  it('names every mistake', () => {
    const options = { prefix: 'a{b}', clock: {}, ttl: 1 }
    expect(() => redisSessions({} as never, options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"ttl" is not an option',
          '"clock" must have "now"',
          '"redis" must be a client of the package redis, version 5',
          '"prefix" must be of letters, digits, ".", ":", "_" and "-"',
        ],
      }),
    )
  })
})

describeRedis('sessions in Redis', () => {
  let server: RedisServer
  let redis: ReturnType<typeof clientOf>
  let store: SessionStore
  beforeAll(async () => {
    server = await startRedis(forgetful)
    redis = clientOf(server.url)
    redis.on('error', () => undefined)
    await redis.connect()
  })
  beforeEach(async () => {
    await redis.flushAll()
    store = redisSessions(redis)
  })
  afterAll(async () => {
    if (redis.isOpen) redis.destroy()
    await server.remove()
  })

  const places = (): Promise<string[]> => redis.keys('*:place:*')
  const onlyPlace = async (): Promise<string> => {
    const [place, ...others] = await places()
    expect(others).toEqual([])
    return place ?? 'none'
  }
  const onlyRecord = async (): Promise<string> => (await redis.keys('*:session:*'))[0] ?? 'none'

  describe('leaves nothing behind', () => {
    it('when sessions are removed or replaced', async () => {
      await store.put(session('s1', { subject: { user: alice, device: laptop, tenant: acme } }))
      await store.put(session('s1', { subject: { user: bob } }))
      expect(await places()).toHaveLength(1)
      await store.remove('s1')
      expect(await redis.keys('*')).toEqual([])
    })

    it('when a session has expired before it is put', async () => {
      await store.put(session('s1', { expires: new Date(nowMs - 1) }))
      expect(await redis.keys('*')).toEqual([])
    })

    it('lets a record expire with its session, and a place with its longest session', async () => {
      await store.put(session('s1', { expires: inHours(1) }))
      const [record, place] = [await onlyRecord(), await onlyPlace()]
      expect(await redis.pExpireTime(record)).toBe(inHours(1).getTime())
      expect(await redis.pExpireTime(place)).toBe(inHours(1).getTime())
      await store.put(session('s2', { expires: inHours(3) }))
      await store.put(session('s3', { expires: inHours(2) }))
      expect(await redis.pExpireTime(place)).toBe(inHours(3).getTime())
      await store.remove('s2')
      expect(await redis.pExpireTime(place)).toBe(inHours(2).getTime())
      await store.put(session('s4'))
      expect(await redis.pExpireTime(place)).toBe(-1)
      await store.remove('s4')
      expect(await redis.pExpireTime(place)).toBe(inHours(2).getTime())
    })

    it('keeps the record of a session without an end, also after one with an end', async () => {
      await store.put(session('s1', { expires: inHours(1) }))
      await store.put(session('s1'))
      expect(await redis.pExpireTime(await onlyRecord())).toBe(-1)
    })

    it('takes a name out of a place when it meets it there without a record', async () => {
      await store.put(session('s1'))
      await store.put(session('s2'))
      // As if Redis had let it expire.
      await redis.del((await redis.keys('*:session:*'))[0] ?? 'none')
      expect(await store.find(alice)).toHaveLength(1)
      expect(await redis.zCard(await onlyPlace())).toBe(1)
    })

    it('takes a name out of a place where its session is not filed any more', async () => {
      await store.put(session('s1'))
      const place = await onlyPlace()
      await redis.del(await onlyRecord())
      await store.put(session('s1', { subject: { user: bob } }))
      expect(await redis.exists(place)).toBe(1)
      expect(await store.find(alice)).toEqual([])
      expect(await redis.exists(place)).toBe(0)
      expect(await store.find(bob)).toHaveLength(1)
    })

    it('spares a session that is put again while somebody takes its old name out', async () => {
      await store.put(session('s1'))
      await redis.del(await onlyRecord())
      const late = {
        ...bound(redis),
        mGet: async (keys: string[]) => {
          const records = await redis.mGet(keys)
          await store.put(session('s1'))
          return records
        },
      }
      expect(await redisSessions(late).find(alice)).toEqual([])
      expect(await store.find(alice)).toHaveLength(1)
    })

    it('lets at most a hundred expired names go with each write', async () => {
      await store.put(session('s1'))
      const place = await onlyPlace()
      const expired = Array.from({ length: 150 }, (_, at) => ({ score: 1 + at, value: `x${at}` }))
      await redis.zAdd(place, expired)
      await store.put(session('s2'))
      expect(await redis.zCard(place)).toBe(52)
      await store.put(session('s3'))
      expect(await redis.zCard(place)).toBe(3)
    })
  })

  describe('purges', () => {
    it('what has expired by the second that is named, in every place', async () => {
      const ids = Array.from({ length: 600 }, (_, at) => `s${at}`)
      const subject = { user: alice, tenant: acme }
      await Promise.all(ids.map((id) => store.put(session(id, { subject, expires: inHours(1) }))))
      await store.put(session('later', { subject, expires: new Date(nowMs + hour + 1000) }))
      await store.put(session('for ever', { subject }))
      await store.purge((nowMs + hour) / 1000)
      expect((await store.find(alice)).map(({ id }) => id).toSorted()).toEqual([
        'for ever',
        'later',
      ])
      expect(await redis.dbSize()).toBe(4)
      for (const place of await places()) expect(await redis.zCard(place)).toBe(2)
    })

    it('spares a session of which an old name has expired', async () => {
      await store.put(session('s1', { expires: inHours(1) }))
      await redis.del(await onlyRecord())
      await store.put(session('s1', { subject: { user: bob } }))
      await store.purge((nowMs + 2 * hour) / 1000)
      expect(await store.read('s1')).toBeDefined()
      expect(await redis.dbSize()).toBe(2)
    })

    it('spares a session that is put again with a later end meanwhile', async () => {
      await store.put(session('s1', { expires: inHours(1) }))
      let scripts = 0
      const late = {
        ...bound(redis),
        eval: async (...call: Parameters<RedisSessionsClient['eval']>) => {
          const answer = await redis.eval(...call)
          if (++scripts === 1) await store.put(session('s1', { expires: inHours(3) }))
          return answer
        },
      }
      await redisSessions(late).purge((nowMs + 2 * hour) / 1000)
      expect(await store.find(alice)).toHaveLength(1)
    })

    it('leaves other prefixes alone', async () => {
      const other = redisSessions(redis, { prefix: 'drawbridge:sessions:2' })
      await other.put(session('s1', { expires: inHours(1) }))
      let scripts = 0
      const client = {
        ...bound(redis),
        eval: (...call: Parameters<RedisSessionsClient['eval']>) => (
          scripts++,
          redis.eval(...call)
        ),
      }
      await redisSessions(client).purge((nowMs + 2 * hour) / 1000)
      expect(scripts).toBe(0)
      expect(await other.find(alice)).toHaveLength(1)
      expect(await store.find(alice)).toEqual([])
    })

    it('leaves it to Redis where keys cannot be scanned', async () => {
      const { scan: _, ...cluster } = bound(redis)
      await store.put(session('s1', { expires: inHours(1) }))
      await redisSessions(cluster).purge((nowMs + 2 * hour) / 1000)
      expect(await store.find(alice)).toHaveLength(1)
    })
  })

  it('hides what has expired by a clock that is ahead of that of Redis', async () => {
    const clock = manualClock(nowMs)
    const ahead = redisSessions(redis, { clock })
    await ahead.put(session('s1', { expires: inHours(1) }))
    expect(await ahead.find(alice)).toHaveLength(1)
    await clock.advance(hour)
    expect(await ahead.find(alice)).toEqual([])
    expect(await ahead.read('s1')).toBeUndefined()
  })

  it('shows no id and no identifier in its keys, and gives all of them one hash tag', async () => {
    const subject = { user: issSub(idp, 'secret-sub'), '{x}': opaque('secret{y}') }
    await store.put(session('secret-id', { subject }))
    const keys = await redis.keys('*')
    expect(keys).toHaveLength(3)
    for (const key of keys) {
      expect(key).toMatch(/^\{drawbridge:sessions\}:(session|place):[\w-]{43}$/)
    }
    const names = await redis.zRange(keys.find((key) => key.includes('place')) ?? 'none', 0, -1)
    expect(names).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
  })

  describe('reads very many sessions in batches', () => {
    const fill = async (count: number): Promise<void> => {
      const ids = Array.from({ length: count }, (_, at) => `s${at}`)
      const subject = (at: number) => ({ user: issSub(idp, `${at}`), tenant: acme })
      await Promise.all(ids.map((id, at) => store.put(session(id, { subject: subject(at) }))))
    }
    const counted = (): { readonly client: RedisSessionsClient; readonly reads: number[] } => {
      const reads: number[] = []
      const client = {
        ...bound(redis),
        mGet: async (keys: string[]) => {
          reads.push(keys.length)
          return redis.mGet(keys)
        },
      }
      return { client, reads }
    }

    it('of which none is large, and no more than somebody takes', async () => {
      await fill(5000)
      const { client, reads } = counted()
      const some = redisSessions(client)
      let taken = 0
      for await (const _ of some.each(acme)) if (++taken === 10) break
      expect(reads).toHaveLength(1)
      expect(await some.find(acme)).toHaveLength(5000)
      expect(Math.max(...reads)).toBeLessThan(600)
    })

    it('and not at all where another member has fewer', async () => {
      await fill(1000)
      const { client, reads } = counted()
      const found = await redisSessions(client).find(
        complex({ tenant: acme, user: issSub(idp, '7') }),
      )
      expect(found.map(({ id }) => id)).toEqual(['s7'])
      expect(reads).toEqual([1])
    })
  })

  describe('does not trust what it cannot read', () => {
    const everyWay = (): readonly Promise<unknown>[] => [
      store.read('s1'),
      store.find(alice),
      store.put(session('s1')),
      store.remove('s1'),
    ]

    it('refuses a record of a newer release, and leaves it as it is', async () => {
      await store.put(session('s1'))
      const key = await onlyRecord()
      const newer = ((await redis.get(key)) ?? '').replace(/^1 /, '2 ')
      await redis.set(key, newer)
      for (const way of everyWay()) {
        await expect(way).rejects.toMatchObject({
          name: 'StorageError',
          code: 'ERR_STORAGE_VERSION',
        })
      }
      expect(await redis.get(key)).toBe(newer)
    })

    it.each(['', 'x', '{"id":"s1"}', '-1 place\n{}'])('calls %j damaged', async (text) => {
      await store.put(session('s1'))
      await redis.set(await onlyRecord(), text)
      for (const way of [store.read('s1'), store.find(alice)]) {
        await expect(way).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
      }
    })

    it.each([
      '',
      'null',
      '{}',
      '{"id":"s1","began":1}',
      '{"id":"s1","subject":{"user":{}}}',
      '[',
      '{"id":1,"began":1}',
    ])('calls the session %j damaged', async (text) => {
      await store.put(session('s1'))
      const key = await onlyRecord()
      const [first] = ((await redis.get(key)) ?? '').split('\n')
      await redis.set(key, `${first}\n${text}`)
      await expect(store.read('s1')).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
    })
  })

  it('says that Redis does not answer, whatever is asked', async () => {
    const closed = clientOf(server.url)
    const away = redisSessions(closed)
    const ways = [
      away.read('s1'),
      away.find(alice),
      away.find(complex({ user: alice, tenant: acme })),
      away.put(session('s1')),
      away.remove('s1'),
      away.purge(nowMs / 1000),
      away.register(session('s1'), { check: () => ({ outcome: 'allow', causes: [] }) }),
    ]
    for (const way of ways) {
      await expect(way).rejects.toMatchObject({
        name: 'StorageError',
        code: 'ERR_STORAGE_UNAVAILABLE',
        message: 'the session store does not answer',
        cause: expect.anything(),
      })
    }
  })
})

describeRedis('sessions in a Redis cluster', () => {
  it('does everything on one slot, with keys that each command names', async () => {
    const server = await startCluster()
    const redis = createCluster({
      rootNodes: [{ url: server.url }],
      nodeAddressMap: () => ({ host: '127.0.0.1', port: server.port }),
    })
    await redis.connect()
    try {
      const store = redisSessions(redis)
      const subject = { user: alice, device: laptop, tenant: acme }
      await store.put(session('s1', { subject, expires: inHours(1) }))
      await store.put(session('s1', { subject: { user: bob, tenant: acme } }))
      await store.put(session('s2', { subject }))
      expect(await store.find(acme)).toHaveLength(2)
      expect(await store.find(complex({ user: alice, tenant: acme }))).toHaveLength(1)
      await store.remove('s1')
      expect(await store.find(bob)).toEqual([])
      await store.purge(nowMs / 1000)
    } finally {
      redis.destroy()
      await server.remove()
    }
  })
})

/** Starts a cluster of one node, and waits until it has taken over its slots. */
async function startCluster(): Promise<RedisServer> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(port)]
  const server = await startRedis([...forgetful, ...cluster])
  await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  let info: unknown
  do info = await server.command('CLUSTER', 'INFO')
  while (!String(info).includes('cluster_state:ok'))
  return server
}

/** The methods of a client, so that a test can put itself before one of them. */
function bound(redis: ReturnType<typeof clientOf>): Required<RedisSessionsClient> {
  return {
    eval: redis.eval.bind(redis),
    mGet: redis.mGet.bind(redis),
    zCard: redis.zCard.bind(redis),
    zScan: redis.zScan.bind(redis),
    scan: redis.scan.bind(redis),
  }
}
