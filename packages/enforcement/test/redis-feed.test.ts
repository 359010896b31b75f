import { describe, expect, it } from '@jest/globals'
import { systemClock } from '@drawbridge/core'
import type { RedisLedgerOptions, RedisLike } from '@drawbridge/enforcement/redis'
import {
  entriesNamed,
  entryNamed,
  followingOn,
  overheard,
  sorted,
  type Node,
} from './redis-node.ts'
import { startProxy, type Proxy } from './redis-proxy.ts'
import { durable, forgetful, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'
import { entryWith, noon } from './signals.ts'

const whenRedis = hasRedisServer('the feed of the Redis ledger and its healing')
  ? describe
  : describe.skip

interface Scene {
  readonly server: RedisServer
  /** Makes a way to the Redis; it is closed at the end. */
  proxy(): Promise<Proxy>
  /** Makes a node that follows; it is closed at the end. */
  node(redis?: string | RedisLike, options?: RedisLedgerOptions): Promise<Node>
}

/** Gives a test a Redis of its own. */
const inScene =
  (run: (scene: Scene) => Promise<void>, settings: readonly string[] = durable) =>
  async (): Promise<void> => {
    const server = await startRedis(settings)
    const nodes: Node[] = []
    const proxies: Proxy[] = []
    try {
      await run({
        server,
        proxy: async () => {
          const proxy = await startProxy(server.port)
          proxies.push(proxy)
          return proxy
        },
        node: async (redis = server.url, options = {}) => {
          const node = await followingOn(redis, options)
          nodes.push(node)
          return node
        },
      })
    } finally {
      for (const { ledger } of nodes) await ledger.close()
      for (const proxy of proxies) await proxy.close()
      await server.remove()
    }
  }

const writeAll = (node: Node, entries: ReturnType<typeof entriesNamed>): Promise<unknown> =>
  Promise.all(entries.map((entry) => node.ledger.write(entry)))

const knows = (node: Node, count: number): Promise<void> =>
  node.until(() => node.known().length === count)

const entriesKey = '{drawbridge}:entries'
const feedKey = '{drawbridge}:feed'

whenRedis('the feed of the Redis ledger', () => {
  it(
    'brings what others write at once, not with the heartbeat',
    inScene(async ({ node }) => {
      const slow = { heartbeatMs: 300_000 }
      const [one, other] = [await node(undefined, slow), await node(undefined, slow)]
      await one.ledger.write(entryWith())
      await knows(other, 1)
      await other.ledger.write(entryWith({ cause: { name: 'other' } }))
      await knows(one, 2)
    }),
    4000,
  )

  it(
    'misses nothing when more is written than one read takes',
    inScene(async ({ node }) => {
      const [one, other] = [await node(), await node()]
      await writeAll(one, entriesNamed('a', 2500))
      await knows(other, 2500)
      await other.heardAgain()
      expect(other.losses()).toBe(0)
    }),
  )

  it(
    'reads all again when the feed was trimmed while the node was cut off',
    inScene(async ({ node, proxy: way, server }) => {
      const proxy = await way()
      const far = await node(proxy.url)
      const near = await node(server.url, { feedLength: 1 })
      await proxy.cut()
      await writeAll(near, entriesNamed('a', 600))
      expect(Number(await server.command('XLEN', feedKey))).toBeLessThan(300)
      await proxy.open()
      await knows(far, 600)
      await far.heardAgain()
      expect([far.losses(), near.losses()]).toEqual([0, 0])
    }),
  )

  it(
    'is not heard from before what was trimmed away is read',
    inScene(async ({ node, proxy: way, server }) => {
      const proxy = await way()
      const far = await node(proxy.url)
      const near = await node(server.url, { feedLength: 1 })
      await proxy.cut()
      const heard = far.heard()
      await writeAll(near, entriesNamed('a', 600))
      await proxy.open()
      await far.until(() => far.heard() > heard)
      expect(far.known()).toHaveLength(600)
    }),
  )

  it(
    'takes in what it can read, and is silent, when an entry is of a newer release',
    inScene(async ({ node, server }) => {
      const one = await node()
      const newer = JSON.stringify({ ...entryWith(), effect: 'banish' })
      const ours = entryNamed('a')
      await server.command('XADD', feedKey, '*', 'entry', newer)
      await one.until(() => one.heard() > 0)
      await one.ledger.write(ours)
      await knows(one, 1)
      const heard = one.heard()
      // Three attempts later.
      for (const _ of [1, 2, 3]) await nextPut(one)
      expect(one.heard()).toBe(heard)
    }),
  )
})

/** Resolves when the node is given entries. */
async function nextPut({ follower }: Node): Promise<void> {
  const { put } = follower
  await new Promise<void>((resolve) => {
    follower.put = (entries) => {
      put(entries)
      resolve()
    }
  })
  follower.put = put
}

whenRedis('the Redis ledger when Redis is away', () => {
  it(
    'loses nothing that was acknowledged when Redis is killed',
    inScene(async ({ node, server }) => {
      const [one, other] = [await node(), await node()]
      const entries = entriesNamed('a', 3000)
      const acknowledged: string[] = []
      const writes = entries.map(async (entry) => {
        await one.ledger.write(entry)
        acknowledged.push(JSON.stringify(entry))
        if (acknowledged.length === 500) await server.kill()
      })
      await Promise.allSettled(writes)
      await server.restart()
      expect(acknowledged.length).toBeLessThan(entries.length)
      const standing = new Set(sorted(await one.ledger.readAll()))
      expect(acknowledged.filter((text) => !standing.has(text))).toEqual([])
      await knows(other, standing.size)
      await other.heardAgain()
      expect(other.losses()).toBe(0)
      await one.ledger.write(entryWith())
      await knows(other, standing.size + 1)
    }),
  )

  it(
    'rejects a write in time, is not heard from, and heals when the network does',
    inScene(async ({ node, server }) => {
      const [one, other] = [await node(server.url, { commandTimeoutMs: 3000 }), await node()]
      await one.ledger.write(entryWith())
      await one.heardAgain()
      server.pause()
      const entry = entryNamed('b')
      await expect(one.ledger.write(entry)).rejects.toMatchObject({
        name: 'StorageError',
        code: 'ERR_STORAGE_UNAVAILABLE',
      })
      const heard = one.heard()
      await expect(one.ledger.readAll()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
      expect(one.heard()).toBe(heard)
      server.resume()
      await Promise.all([one.heardAgain(), other.heardAgain()])
      await one.ledger.write(entry)
      await knows(other, 2)
      expect([one.losses(), other.losses()]).toEqual([0, 0])
    }),
  )

  it(
    'refuses at once while Redis is down, and comes back by itself',
    inScene(async ({ node, server }) => {
      const one = await node()
      await server.kill()
      await expect(one.ledger.write(entryWith())).rejects.toMatchObject({
        code: 'ERR_STORAGE_UNAVAILABLE',
      })
      await server.restart()
      await one.heardAgain()
      expect(await one.ledger.write(entryWith())).toMatchObject({ changed: true })
      expect(await one.ledger.write(entryWith())).toMatchObject({ changed: false })
    }),
  )

  it(
    'says of a write whose answer was lost, when it is repeated, that it changed the ledger',
    inScene(async ({ node, proxy: way, server }) => {
      const before = entryWith()
      const entry = entryWith({ since: noon + 1 })
      const proxy = await way()
      const replaces = (args: readonly string[]): boolean =>
        args.includes(JSON.stringify(before)) && args.includes(JSON.stringify(entry))
      const one = await node(
        overheard(proxy.url, (args) => {
          if (replaces(args)) proxy.deafen()
          return undefined
        }),
        { commandTimeoutMs: 3000 },
      )
      await one.ledger.write(before)
      await expect(one.ledger.write(entry)).rejects.toThrow()
      expect(await server.command('HVALS', entriesKey)).toContain(JSON.stringify(entry))
      await proxy.cut()
      await expect(one.ledger.write(entry)).rejects.toThrow()
      await proxy.open()
      expect(await one.ledger.write(entry)).toEqual({ changed: true, entry, before })
      expect(await one.ledger.write(entry)).toMatchObject({ changed: false })
    }),
  )

  it(
    'is not followed and not opened while Redis is down, and can be later',
    inScene(async ({ node, server }) => {
      const one = await node()
      await one.ledger.close()
      await server.kill()
      await expect(one.ledger.open()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
      await server.restart()
      await one.ledger.open()
      await server.kill()
      await expect(one.ledger.follow(one.follower)).rejects.toMatchObject({
        code: 'ERR_STORAGE_UNAVAILABLE',
      })
      await server.restart()
      await one.ledger.follow(one.follower)
    }),
  )
})

whenRedis('the Redis ledger when Redis has forgotten', () => {
  /** Two nodes, each with something that it wrote, of which both know. */
  const pair = async ({ node, server }: Scene): Promise<readonly [Node, Node]> => {
    const pair = [await node(server.url), await node(server.url)] as const
    await Promise.all(pair.map((one, at) => writeAll(one, entriesNamed(`node-${at}`, 700))))
    for (const one of pair) await knows(one, 1400)
    return pair
  }

  const isWhole = async (scene: Scene, nodes: readonly Node[]): Promise<void> => {
    for (const one of nodes) {
      await one.until(() => one.losses() > 0)
      await one.heardAgain()
    }
    const fresh = await scene.node()
    for (const one of nodes) expect(sorted(fresh.known())).toEqual(sorted(one.known()))
    expect(fresh.known()).toHaveLength(1400)
    expect(nodes.map((one) => one.losses())).toEqual(nodes.map(() => 1))
  }

  it(
    'is written again by two nodes at once after a restart that left nothing',
    inScene(async (scene) => {
      const nodes = await pair(scene)
      await scene.server.restart()
      await isWhole(scene, nodes)
    }, forgetful),
  )

  it.each([
    ['FLUSHALL', ['FLUSHALL']],
    ['the loss of the entries alone', ['DEL', entriesKey]],
    ['the loss of every key', ['DEL', entriesKey, feedKey, '{drawbridge}:expiries']],
  ])('is written again after %s', (_, command) =>
    inScene(async (scene) => {
      const nodes = await pair(scene)
      await scene.server.command(...command)
      await isWhole(scene, nodes)
    })(),
  )

  it(
    'goes on when the feed alone was lost',
    inScene(async (scene) => {
      const [one, other] = await pair(scene)
      await scene.server.command('DEL', feedKey)
      await one.ledger.write(entryWith())
      await knows(other, 1401)
      for (const node of [one, other]) {
        await node.heardAgain()
        expect(node.losses()).toBe(0)
      }
    }),
  )

  it(
    'is written again when an old copy of it was restored',
    inScene(async (scene) => {
      const one = await scene.node()
      await writeAll(one, entriesNamed('old', 400))
      await scene.server.command('SAVE')
      await writeAll(one, entriesNamed('new', 1000))
      await knows(one, 1400)
      await scene.server.restart()
      await isWhole(scene, [one])
    }, forgetful),
  )

  it(
    'notices an old copy that has gone its own way since',
    inScene(async (scene) => {
      const { server } = scene
      const proxy = await scene.proxy()
      const one = await scene.node(proxy.url)
      await writeAll(one, entriesNamed('old', 700))
      await server.command('SAVE')
      await writeAll(one, entriesNamed('new', 699))
      await knows(one, 1399)
      await proxy.cut()
      await server.restart()
      const stranger = await scene.node()
      await stranger.ledger.write(entryWith())
      await proxy.open()
      await isWhole(scene, [one])
    }, forgetful),
  )

  it(
    'notices that a write is gone which was acknowledged and never came by the feed',
    inScene(async ({ node, server }) => {
      let gate: Promise<unknown> | undefined
      const held = overheard(server.url, ([name]) => (name === 'XREAD' ? gate : undefined))
      const one = await node(held)
      let open: () => void = () => undefined
      gate = new Promise<void>((resolve) => (open = resolve))
      await one.heardAgain()
      const entry = entryWith()
      const { entry: standing } = await one.ledger.write(entry)
      one.follower.put([standing])
      // As a failover to a replica that had not received it.
      const [[id]] = (await server.command('XREVRANGE', feedKey, '+', '-', 'COUNT', '1')) as [
        [string],
      ]
      await server.command('XDEL', feedKey, id)
      await server.command('HDEL', entriesKey, ...(await fields(server)))
      open()
      gate = undefined
      await one.until(() => one.losses() === 1)
      await one.heardAgain()
      expect(await one.ledger.readAll()).toEqual([entry])
    }),
  )

  it(
    'heals on a Redis whose clock is behind that of the one before',
    inScene(async ({ node, server }) => {
      const one = await node()
      await server.command('XADD', feedKey, '9999999999999-0', 'epoch', 'ahead')
      await one.ledger.write(entryWith())
      await server.command('FLUSHALL')
      await one.until(() => one.losses() === 1)
      for (const _ of [1, 2, 3]) await one.heardAgain()
      expect(one.losses()).toBe(1)
      expect(await one.ledger.readAll()).toEqual([entryWith()])
    }),
  )

  it(
    'tells of one loss once, though writing back has to be begun again',
    inScene(async (scene) => {
      const proxy = await scene.proxy()
      const one = await scene.node(proxy.url)
      await writeAll(one, entriesNamed('a', 1400))
      await knows(one, 1400)
      const { lost } = one.follower
      let cutting = Promise.resolve()
      one.follower.lost = () => {
        cutting = proxy.cut()
        return lost()
      }
      await scene.server.command('FLUSHALL')
      await one.until(() => one.losses() > 0)
      await cutting
      await expect(one.ledger.write(entryWith())).rejects.toThrow()
      await proxy.open()
      await isWhole(scene, [one])
    }),
  )

  it(
    'notices a loss that happens while what was trimmed away is read',
    inScene(async (scene) => {
      const { server } = scene
      const near = await scene.node(server.url, { feedLength: 1 })
      let gate: Promise<unknown> | undefined
      let isFlushed = false
      const one = await scene.node(
        overheard(server.url, (args) => {
          if (args[0] === 'XREAD') return gate
          if (!gate || isFlushed || args[2] !== '2' || args.length !== 6) return undefined
          if (!/^[\da-f-]{36}$/.test(args[5] ?? '')) return undefined
          isFlushed = true
          return server.command('FLUSHALL')
        }),
      )
      await writeAll(near, entriesNamed('a', 700))
      await knows(one, 700)
      gate = server.command('PING')
      await near.ledger.close()
      let open: () => void = () => undefined
      gate = new Promise<void>((resolve) => (open = resolve))
      await one.heardAgain()
      const writer = await scene.node(server.url, { feedLength: 1 })
      await writeAll(writer, entriesNamed('b', 700))
      await writer.ledger.close()
      open()
      await one.until(() => one.losses() === 1)
      await one.heardAgain()
      expect(isFlushed).toBe(true)
      const fresh = await scene.node()
      expect(fresh.known().length).toBeGreaterThanOrEqual(700)
    }),
  )

  it(
    'does not bring back what is past its time',
    inScene(async ({ node, server }) => {
      const one = await node(undefined, { clock: { ...systemClock, now: () => noon * 1000 } })
      const lasting = entryNamed('lasting', noon + 1)
      await one.ledger.write(entryNamed('past', noon))
      await one.ledger.write(lasting)
      await knows(one, 2)
      await server.command('FLUSHALL')
      await one.until(() => one.losses() === 1)
      await one.heardAgain()
      expect(await one.ledger.readAll()).toEqual([lasting])
    }),
  )
})

const fields = async (server: RedisServer): Promise<string[]> =>
  ((await server.command('HKEYS', entriesKey)) as string[]).filter((name) => name !== 'epoch')
