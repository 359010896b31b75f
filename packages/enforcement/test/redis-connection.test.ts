import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'redis'
import { systemClock } from '@drawbridge/core'
import { createConnection } from '../src/ledger/redis/connection.ts'
import type { RedisLike } from '../src/ledger/redis/redis-like.ts'
import { manualClock } from '@drawbridge/testkit'
import { overheard } from './redis-node.ts'
import { hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'

const whenRedis = hasRedisServer('the connection of the Redis ledger') ? describe : describe.skip

const limitMs = 1000
const random = (): number => 0

/** A command that waits in the test until it is let go. */
const gates = () => {
  const open = new Map<string, () => void>()
  return {
    hear: ([name = '', text = '']: readonly string[]): Promise<void> | undefined =>
      name === 'ECHO' ? new Promise((resolve) => open.set(text, resolve)) : undefined,
    letGo: (text: string): void => open.get(text)?.(),
    until: async (text: string): Promise<void> => {
      while (!open.has(text)) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

whenRedis('the connection of the Redis ledger', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.remove())

  it('waits longer than its limit while other commands are answered', async () => {
    const clock = manualClock(0)
    const { hear, letGo, until } = gates()
    const redis = overheard(server.url, hear)
    const connection = createConnection(redis, { clock, commandTimeoutMs: limitMs, random })
    const [first, second] = [connection.send(['ECHO', '1']), connection.send(['ECHO', '2'])]
    await until('2')
    letGo('1')
    expect(await first).toBe('1')
    await clock.advance(limitMs)
    letGo('2')
    expect(await second).toBe('2')
    expect(redis.counts.made).toBe(1)
    connection.close()
  })

  it('gives a socket up that has answered nothing, and makes another', async () => {
    const clock = manualClock(0)
    const { hear, until } = gates()
    const redis = overheard(server.url, hear)
    const connection = createConnection(redis, { clock, commandTimeoutMs: limitMs, random })
    const silent = connection.send(['ECHO', '1'])
    await until('1')
    const refused = expect(silent).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
    await clock.advance(limitMs)
    await refused
    expect(redis.counts).toEqual({ made: 1, destroyed: 1 })
    const next = connection.send(['PING'])
    await clock.advance(limitMs / 2)
    expect(await next).toBe('PONG')
    expect(redis.counts.made).toBe(2)
    connection.close()
  })

  it('connects anew when its master has become a replica', async () => {
    const redis = overheard(server.url)
    const settings = { clock: systemClock, commandTimeoutMs: limitMs, random }
    const connection = createConnection(redis, settings)
    await connection.send(['PING'])
    await server.command('REPLICAOF', '127.0.0.1', '1')
    await expect(connection.send(['SET', 'a', 'b'])).rejects.toThrow()
    await server.command('REPLICAOF', 'NO', 'ONE')
    expect(await connection.send(['SET', 'a', 'b'])).toBe('OK')
    expect(redis.counts).toEqual({ made: 2, destroyed: 1 })
    connection.close()
  })

  it('leaves no socket behind that was being connected', async () => {
    let looked: () => void = () => undefined
    const looking = new Promise<void>((resolve) => (looked = resolve))
    // A name server that never answers.
    const client: RedisLike = createClient({
      socket: { host: 'redis.example', lookup: () => looked() },
    })
    let connecting: Promise<unknown> = Promise.resolve()
    const redis: RedisLike = {
      ...(client.options && { options: client.options }),
      duplicate: (overrides) => {
        const connection = client.duplicate(overrides)
        return {
          connect: () => (connecting = connection.connect()),
          destroy: () => connection.destroy(),
          on: (name, listener) => connection.on(name, listener),
          sendCommand: (args) => connection.sendCommand(args),
        }
      },
    }
    const settings = { clock: systemClock, commandTimeoutMs: 300_000, random }
    const connection = createConnection(redis, settings)
    const sent = expect(connection.send(['PING'])).rejects.toThrow()
    await looking
    connection.close()
    await expect(connecting).rejects.toThrow()
    await sent
  })
})
