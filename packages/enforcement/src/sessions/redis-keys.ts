import { readStoreOptions, type SessionStoreOptions, type SessionStoreSettings } from './options.ts'
import type { RedisSessionsClient } from './redis-like.ts'

/** The options of `redisSessions`. */
export interface RedisSessionsOptions extends SessionStoreOptions {
  /**
   * How the keys of this application begin: letters, digits, `.`, `:`, `_` and `-`. Applications
   * that share a Redis need one each. Default: `drawbridge:sessions`.
   */
  readonly prefix?: string
}

/** The keys in Redis. */
export interface RedisKeys {
  /** The key of a record, from the name of its id. */
  record(name: string): string
  /** The key of a place, from its name. */
  place(name: string): string
  /** The name of a place, from its key. */
  placeOf(key: string): string
  /** The pattern that finds every place. */
  readonly everyPlace: string
}

/**
 * Makes the keys: of one prefix, all with one hash tag.
 *
 * @param prefix Without braces
 */
export function createRedisKeys(prefix: string): RedisKeys {
  const places = `{${prefix}}:place:`
  return {
    record: (name) => `{${prefix}}:session:${name}`,
    place: (name) => places + name,
    placeOf: (key) => key.slice(places.length),
    everyPlace: `${places}*`,
  }
}

/**
 * Checks the options.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function readRedisOptions(
  redis: RedisSessionsClient,
  options: RedisSessionsOptions,
): SessionStoreSettings & { readonly prefix: string } {
  const { prefix = 'drawbridge:sessions' } = options ?? {}
  const settings = readStoreOptions('redisSessions', options, ['prefix'], ({ check }) => {
    check(
      typeof redis?.eval === 'function' && typeof redis.zScan === 'function',
      '"redis" must be a client of the package redis, version 5',
    )
    // No braces, they would make another hash tag; nothing that means something in a pattern.
    check(
      typeof prefix === 'string' && /^[\w.:-]+$/.test(prefix),
      '"prefix" must be of letters, digits, ".", ":", "_" and "-"',
    )
  })
  return { ...settings, prefix }
}
