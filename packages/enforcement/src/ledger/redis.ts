import { checkOptions, systemClock, type Clock } from '@drawbridge/core'
import { StorageError } from '@drawbridge/schema'
import { readEntry } from './ledger-entry.ts'
import type { Ledger, LedgerDoubt, LedgerFollower } from './ledger.ts'
import { judgeServer, readServerFacts } from './redis/check-server.ts'
import { createConnection } from './redis/connection.ts'
import { createEntries } from './redis/entries.ts'
import { compareIds } from './redis/feed-item.ts'
import { followFeed, type Acknowledged } from './redis/follow-feed.ts'
import type { RedisLike } from './redis/redis-like.ts'
import { keysOf } from './redis/scripts.ts'

export type { RedisConnectionLike, RedisLike, RedisOverrides } from './redis/redis-like.ts'

/** The options of {@link redisLedger}. */
export interface RedisLedgerOptions {
  /** What the keys begin with: `{drawbridge}:entries`. Default: `drawbridge`. */
  readonly prefix?: string
  /**
   * How long the feed may be quiet until a node makes sure that it is still there, in milliseconds.
   * Default: 1000.
   */
  readonly heartbeatMs?: number
  /** How long Redis may take to answer, and a connection to be made, in milliseconds. Default: 2000. */
  readonly commandTimeoutMs?: number
  /**
   * How many entries the feed keeps, more or less, for nodes that were away: one that was away
   * longer reads the whole ledger again. Default: 10 000.
   */
  readonly feedLength?: number
  /** Takes a Redis that removes entries when its memory is full. Default: false. */
  readonly acceptForgetful?: boolean
  /** Time and timers. Default: the machine's. */
  readonly clock?: Clock
  /** From 0 (included) to 1 (excluded); spreads attempts to connect. Default: `Math.random`. */
  readonly random?: () => number
}

type Settings = Required<RedisLedgerOptions>

const optionNames = [
  'prefix',
  'heartbeatMs',
  'commandTimeoutMs',
  'feedLength',
  'acceptForgetful',
  'clock',
  'random',
]

/**
 * Makes a ledger in Redis 6.2 or newer, which many nodes share: each hears by a feed what the
 * others write, within milliseconds. When Redis was emptied or has lost its newest writes, the
 * nodes notice it within a heartbeat and write again what they know.
 *
 * A write that is acknowledged is as durable as Redis is set: with `appendfsync always` it is on
 * disk; with `everysec` the machine's failure can take about the last second, and with replicas a
 * failover can take what had not reached them. Then it is still known on the nodes that run, and
 * written back by them.
 *
 * The ledger makes connections of its own, with the settings of the application's client (one, and
 * one to follow the feed), and leaves that client as it is.
 *
 * @example
 *   const redis = createClient({ url: 'redis://localhost:6379' })
 *   const ledger = redisLedger(redis)
 *
 * @param redis The client of `createClient()` of the package `redis`, connected or not
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 */
export function redisLedger(redis: RedisLike, options: RedisLedgerOptions = {}): Ledger {
  const settings = readOptions(redis, options)
  let opening: Promise<OpenLedger> | undefined
  const opened = async (): Promise<OpenLedger> => {
    if (!opening) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the ledger is not open')
    return opening
  }
  return {
    open: async () => {
      const own = (opening ??= openLedger(redis, settings))
      try {
        await own
      } catch (error) {
        if (opening === own) opening = undefined
        throw error
      }
    },
    readAll: async () => (await opened()).readAll(),
    write: async (entry) => (await opened()).write(entry),
    purge: async (now) => (await opened()).purge(now),
    follow: async (follower) => (await opened()).follow(follower),
    close: async () => {
      const closing = opening
      opening = undefined
      // One that could not be opened has closed itself.
      await (await closing?.catch(() => undefined))?.close()
    },
  }
}

type OpenLedger = Required<Omit<Ledger, 'open'>>

async function openLedger(redis: RedisLike, settings: Settings): Promise<OpenLedger> {
  const connection = createConnection(redis, settings)
  try {
    const facts = await readServerFacts(connection)
    return ledgerOn(redis, settings, connection, judgeServer(facts, settings.acceptForgetful))
  } catch (error) {
    connection.close()
    throw error
  }
}

function ledgerOn(
  redis: RedisLike,
  settings: Settings,
  connection: ReturnType<typeof createConnection>,
  doubts: readonly LedgerDoubt[],
): OpenLedger {
  const keys = keysOf(settings.prefix)
  const acknowledged: Acknowledged = { id: '0-0' }
  const entries = createEntries(connection, {
    keys,
    feedLength: settings.feedLength,
    acknowledged: (id) => {
      if (compareIds(id, acknowledged.id) > 0) acknowledged.id = id
    },
  })
  const control = new AbortController()
  const running = new Set<Promise<unknown>>()
  const during = async <Result>(work: Promise<Result>): Promise<Result> => {
    running.add(work)
    try {
      return await work
    } finally {
      running.delete(work)
    }
  }

  const readAll = async () => {
    const texts = new Set<string>()
    for await (const page of entries.pages(connection)) for (const text of page) texts.add(text)
    return [...texts].map(readEntry)
  }

  const follow = async (follower: LedgerFollower): Promise<void> => {
    for (const doubt of doubts) follower.doubt(doubt)
    const own = createConnection(redis, settings)
    control.signal.addEventListener('abort', own.close)
    const signal = control.signal
    const following = { ...settings, connection: own, entries, keys, acknowledged, signal }
    try {
      const { ended } = await followFeed(follower, following)
      running.add(ended)
    } catch (error) {
      own.close()
      throw error
    }
  }

  return {
    readAll: () => during(readAll()),
    write: (entry) => during(entries.write(entry)),
    purge: (now) => during(entries.purge(now)),
    follow,
    close: async () => {
      control.abort()
      // Each has a time limit.
      await Promise.allSettled(running)
      connection.close()
    },
  }
}

function readOptions(redis: RedisLike, options: RedisLedgerOptions): Settings {
  const settings: Settings = {
    prefix: 'drawbridge',
    heartbeatMs: 1000,
    commandTimeoutMs: 2000,
    feedLength: 10_000,
    acceptForgetful: false,
    clock: systemClock,
    random: Math.random,
    ...options,
  }
  const { check, known, done } = checkOptions('redisLedger')
  known(options, optionNames)
  check(
    typeof redis?.duplicate === 'function',
    '"redis" must be a client of the package "redis": createClient()',
  )
  check(
    typeof settings.prefix === 'string' && /^[^{}]+$/.test(settings.prefix),
    '"prefix" must be a text without braces',
  )
  for (const name of ['heartbeatMs', 'commandTimeoutMs', 'feedLength'] as const) {
    const value = settings[name]
    check(Number.isSafeInteger(value) && value >= 1, `"${name}" must be a whole number from 1`)
  }
  check(typeof settings.acceptForgetful === 'boolean', '"acceptForgetful" must be true or false')
  const { clock, random } = settings
  check(
    typeof clock?.now === 'function' && typeof clock.sleep === 'function',
    '"clock" must have "now" and "sleep"',
  )
  check(typeof random === 'function', '"random" must be a function')
  done()
  return settings
}
