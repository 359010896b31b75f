import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'redis'
import { redisLedger, type RedisLike } from '@drawbridge/enforcement/redis'
import { ledgerContract } from '../src/ledger/contract.ts'
import { describeLedger } from './ledger-contract.ts'
import { entriesNamed, entryNamed, nodeOn, overheard, quick, sorted } from './redis-node.ts'
import { startProxy } from './redis-proxy.ts'
import { hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import { entryWith, noon } from './signals.ts'

const whenRedis = hasRedisServer('the Redis ledger') ? describe : describe.skip

whenRedis('redisLedger', () => {
  let server: RedisServer
  let places = 0
  const newPrefix = (): string => `place-${++places}`
  const ledgerAt = (prefix: string) =>
    redisLedger(createClient({ url: server.url }), { ...quick, prefix })
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.remove())

  describeLedger('redisLedger', async () => {
    const prefix = newPrefix()
    return { ledger: () => ledgerAt(prefix), remove: async () => undefined }
  })

  describe('the published contract', () => {
    let prefix = ''
    ledgerContract(
      it,
      () => ledgerAt((prefix = newPrefix())),
      () => ledgerAt(prefix),
    )
  })

  const withNodes = async (
    count: number,
    run: (...nodes: ReturnType<typeof nodeOn>[]) => Promise<void>,
  ): Promise<void> => {
    const prefix = newPrefix()
    const nodes = Array.from({ length: count }, () => nodeOn(server.url, { prefix }))
    await Promise.all(nodes.map(({ ledger }) => ledger.open()))
    try {
      await run(...nodes)
    } finally {
      await Promise.all(nodes.map(({ ledger }) => ledger.close()))
    }
  }

  it('ends conflicting writes of two clients as supersedes says, in any order', () =>
    withNodes(2, async (one, other) => {
      const writes = Array.from({ length: 400 }, (_, at) =>
        entryWith({
          since: noon + (at % 40),
          cause: { jti: `jti-${String(at).padStart(3, '0')}`, name: `cause-${at % 3}` },
          ...(at % 2 && { lifted: true }),
        }),
      )
      const shuffled = (): typeof writes =>
        writes
          .map((entry) => [Math.random(), entry] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, entry]) => entry)
      await Promise.all([
        ...shuffled().map((entry) => one.ledger.write(entry)),
        ...shuffled().map((entry) => other.ledger.write(entry)),
      ])
      const alone = nodeOn('redis://127.0.0.1:1')
      alone.follower.put(writes)
      expect(sorted(await one.ledger.readAll())).toEqual(sorted(alone.known()))
    }))

  it('writes nothing for a signal that is repeated', () =>
    withNodes(1, async ({ ledger }) => {
      await ledger.write(entryWith())
      const offset = async (): Promise<unknown> =>
        /rdb_changes_since_last_save:(\d+)/.exec(
          String(await server.command('INFO', 'persistence')),
        )?.[1]
      const before = await offset()
      for (const _ of [1, 2, 3]) await ledger.write(entryWith())
      expect(await offset()).toBe(before)
    }))

  it('names its keys so that a Redis Cluster keeps them together', () =>
    withNodes(1, async ({ ledger, follower }) => {
      await ledger.follow(follower)
      await ledger.write(entryWith({ expires: noon + 60 }))
      const prefix = `place-${places}`
      expect((await server.command('KEYS', `*${prefix}*`)) as string[]).toEqual(
        expect.arrayContaining([`{${prefix}}:entries`, `{${prefix}}:expiries`, `{${prefix}}:feed`]),
      )
      expect(await server.command('KEYS', `*${prefix}*`)).toHaveLength(3)
    }))

  it('purges more than one batch, and spares an entry that was written again', () =>
    withNodes(1, async ({ ledger }) => {
      const old = entriesNamed('old', 1200).map((entry) => ({
        ...entry,
        since: noon - 1,
        expires: noon,
      }))
      await Promise.all(old.map((entry) => ledger.write(entry)))
      const longer = entryNamed('old-0', noon + 9000)
      const endless = entryNamed('old-1')
      for (const entry of [longer, endless]) await ledger.write(entry)
      await ledger.purge(noon)
      expect(sorted(await ledger.readAll())).toEqual(sorted([longer, endless]))
      expect(await server.command('ZCARD', `{place-${places}}:expiries`)).toBe(1)
    }))

  it('sends its scripts again when Redis has forgotten them', () =>
    withNodes(1, async ({ ledger }) => {
      await ledger.write(entryWith())
      await server.command('SCRIPT', 'FLUSH')
      const newer = entryWith({ since: noon + 1 })
      expect(await ledger.write(newer)).toMatchObject({ changed: true })
      expect(await ledger.readAll()).toEqual([newer])
    }))

  it('reads a ledger of many pages', () =>
    withNodes(2, async (one, other) => {
      const entries = entriesNamed('many', 3000)
      await Promise.all(entries.map((entry) => one.ledger.write(entry)))
      expect(sorted(await other.ledger.readAll())).toEqual(sorted(entries))
      await other.ledger.follow(other.follower)
      expect(sorted(other.known())).toEqual(sorted(entries))
    }))

  it('refuses an entry of a newer release, whoever reads it', () =>
    withNodes(1, async ({ ledger, follower }) => {
      const entry = entryWith()
      await ledger.write(entry)
      const [key] = (await server.command('HKEYS', `{place-${places}}:entries`)) as [string]
      const newer = JSON.stringify({ ...entry, effect: 'banish' })
      await server.command('HSET', `{place-${places}}:entries`, key, newer)
      const refusal = { name: 'StorageError', code: 'ERR_STORAGE_VERSION' }
      await expect(ledger.readAll()).rejects.toMatchObject(refusal)
      await expect(ledger.follow(follower)).rejects.toMatchObject(refusal)
      await expect(ledger.write(entry)).rejects.toMatchObject(refusal)
    }))

  it('leaves no connection behind when following cannot begin', async () => {
    const redis = overheard(server.url)
    const node = nodeOn(redis, { prefix: newPrefix() })
    await node.ledger.open()
    const newer = JSON.stringify({ ...entryWith(), effect: 'banish' })
    await server.command('HSET', `{place-${places}}:entries`, 'key', newer)
    await expect(node.ledger.follow(node.follower)).rejects.toThrow()
    expect(redis.counts).toEqual({ made: 2, destroyed: 1 })
    await node.ledger.close()
  })

  it.each([
    ['connected', true],
    ['not connected', false],
  ])('leaves a client that is %s as it was', async (_, isConnected) => {
    const client = createClient({ url: server.url, RESP: 3 })
    if (isConnected) await client.connect()
    const ledger = redisLedger(client, { ...quick, prefix: newPrefix() })
    await ledger.open()
    await ledger.write(entryWith())
    await ledger.close()
    expect([client.isOpen, client.isReady]).toEqual([isConnected, isConnected])
    if (isConnected) client.destroy()
  })

  it('leaves no connection behind', async () => {
    const prefix = newPrefix()
    const proxy = await startProxy(server.port)
    const node = nodeOn(proxy.url, { prefix })
    for (const _ of [1, 2]) {
      await node.ledger.open()
      await node.ledger.follow(node.follower)
      expect(proxy.connections()).toBe(2)
      await node.ledger.close()
      await proxy.idle()
    }
    await proxy.close()
  })

  it('ends the blocking read at once', async () => {
    const node = nodeOn(server.url, { prefix: newPrefix(), heartbeatMs: 300_000 })
    await node.ledger.open()
    await node.ledger.follow(node.follower)
    await node.ledger.close()
  })

  it('keeps up with a Redis that is slow', async () => {
    const prefix = newPrefix()
    const proxy = await startProxy(server.port, 40)
    const [near, far] = [server.url, proxy.url].map((url) => nodeOn(url, { prefix }))
    if (!near || !far) return
    for (const { ledger, follower } of [near, far]) {
      await ledger.open()
      await ledger.follow(follower)
    }
    const entries = entriesNamed('slow', 2000)
    await Promise.all(entries.map((entry, at) => (at % 2 ? near : far).ledger.write(entry)))
    for (const node of [near, far]) {
      await node.until(() => node.known().length === entries.length)
      expect(sorted(node.known())).toEqual(sorted(entries))
      await node.heardAgain()
      expect(node.losses()).toBe(0)
      await node.ledger.close()
    }
    await proxy.close()
  })
})

describe('the options of redisLedger', () => {
  it('reports all mistakes together', () => {
    const wrong = {
      prefix: '{a}',
      heartbeatMs: 0,
      feedLength: 1.5,
      commandTimeoutMs: -1,
      colour: 1,
    }
    expect(() => redisLedger({} as RedisLike, wrong as object)).toThrow(
      /"colour" is not.*"redis" must.*"prefix" must.*"heartbeatMs" must.*"commandTimeoutMs" must.*"feedLength" must/,
    )
    const others = { acceptForgetful: 'yes', clock: {}, random: 4 }
    expect(() => redisLedger(createClient(), others as object)).toThrow(
      /"acceptForgetful" must.*"clock" must.*"random" must/,
    )
  })

  it('takes what createClient makes', () => {
    const client: RedisLike = createClient()
    expect(redisLedger(client).follow).toBeInstanceOf(Function)
  })
})
