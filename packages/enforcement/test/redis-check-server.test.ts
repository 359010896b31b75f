import { describe, expect, it } from '@jest/globals'
import { judgeServer } from '../src/ledger/redis/check-server.ts'
import { followingOn, nodeOn, overheard } from './redis-node.ts'
import { durable, forgetful, hasRedisServer, startRedis, type RedisServer } from './redis-server.ts'

const whenRedis = hasRedisServer('what the Redis ledger asks of a server')
  ? describe
  : describe.skip

const withServer =
  (settings: readonly string[], run: (server: RedisServer) => Promise<void>) =>
  async (): Promise<void> => {
    const server = await startRedis(settings)
    try {
      await run(server)
    } finally {
      await server.remove()
    }
  }

const limit = ['--maxmemory', '50mb']
const evicting = [...durable, ...limit, '--maxmemory-policy', 'allkeys-lru']

const doubtsOf = async (url: string, options = {}): Promise<readonly string[]> => {
  const node = await followingOn(url, options)
  await node.ledger.close()
  return node.doubts
}

whenRedis('redisLedger, when it is opened', () => {
  it(
    'refuses a Redis that removes entries, and names the setting and what would be right',
    withServer(evicting, async ({ url }) => {
      const redis = overheard(url)
      await expect(nodeOn(redis).ledger.open()).rejects.toMatchObject({
        name: 'StorageError',
        code: 'ERR_STORAGE_UNAVAILABLE',
        message: expect.stringMatching(/"maxmemory-policy" must be "noeviction"/),
      })
      expect(redis.counts).toEqual({ made: 1, destroyed: 1 })
    }),
  )
  it(
    'takes it, with a doubt, where that is written out',
    withServer(evicting, async ({ url }) => {
      expect(await doubtsOf(url, { acceptForgetful: true })).toEqual(['evicts'])
    }),
  )
  it(
    'says that a restart leaves nothing',
    withServer(forgetful, async ({ url }) => {
      expect(await doubtsOf(url)).toEqual(['not-persistent'])
    }),
  )
  it.each([
    ['that is durable', durable],
    ['with snapshots', ['--save', '60 1']],
    ['with a limit and "noeviction"', [...durable, ...limit]],
    ['that removes what expires', [...durable, ...limit, '--maxmemory-policy', 'volatile-lru']],
    ['without a limit', [...durable, '--maxmemory-policy', 'allkeys-lru']],
  ])('has no doubt about a Redis %s', (_, settings) =>
    withServer(settings, async ({ url }) => {
      expect(await doubtsOf(url)).toEqual([])
    })(),
  )
  it(
    'works for a user who may not ask, and says that it does not know',
    withServer(['--save', '60 1'], async ({ command, port }) => {
      const rights = ['on', '>secret', '~{drawbridge}:*', '+@all', '-config', '-info']
      await command('ACL', 'SETUSER', 'app', ...rights)
      expect(await doubtsOf(`redis://app:secret@127.0.0.1:${port}`)).toEqual(['unknown'])
    }),
  )
  it(
    'is content with INFO where Redis appends to a file',
    withServer(durable, async ({ command, port }) => {
      await command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-config')
      expect(await doubtsOf(`redis://app:secret@127.0.0.1:${port}`)).toEqual([])
    }),
  )
  it(
    'says that it cannot be opened when the password is wrong',
    withServer(durable, async ({ port }) => {
      const { ledger } = nodeOn(`redis://app:wrong@127.0.0.1:${port}`)
      await expect(ledger.open()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
    }),
  )
})

describe('the version of Redis', () => {
  const info = (version: string): string => `redis_version:${version}\r\naof_enabled:1\r\n`
  it.each(['6.0.16', '5.0.3'])('%s is refused', (version) => {
    expect(() => judgeServer({ info: info(version), save: '' }, true)).toThrow(
      expect.objectContaining({
        code: 'ERR_STORAGE_UNAVAILABLE',
        message: expect.stringMatching(/is version \d\.0: it must be 6\.2 or newer/),
      }),
    )
  })
  it.each(['6.2.0', '7.0.15', '10.0.0'])('%s is taken', (version) => {
    expect(judgeServer({ info: info(version), save: '' }, false)).toEqual(['unknown'])
  })
})
