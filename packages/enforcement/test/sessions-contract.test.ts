import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { createClient } from 'redis'
import { sessionsContract } from '../src/sessions/contract.ts'
import { memorySessions } from '../src/sessions/memory.ts'
import { redisSessions } from '../src/sessions/redis.ts'
import { forgetful, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'

const describeRedis = hasRedisServer('the contract of sessions') ? describe : describe.skip

describe('the memory sessions', () => sessionsContract(it, () => memorySessions()))

describeRedis.each([2, 3] as const)('the redis sessions, RESP %i', (RESP) => {
  let server: RedisServer
  let redis: ReturnType<typeof clientOf>
  const clientOf = (url: string) => createClient({ url, RESP })
  let number = 0
  beforeAll(async () => {
    server = await startRedis(forgetful)
    redis = clientOf(server.url)
    await redis.connect()
  })
  afterAll(async () => {
    redis.destroy()
    await server.remove()
  })
  sessionsContract(it, () => redisSessions(redis, { prefix: `test:${++number}` }))
})
