/** One page of `ZSCAN`. */
export interface RedisMembersPage {
  readonly cursor: string
  readonly members: readonly { readonly value: string }[]
}

/** One page of `SCAN`. */
export interface RedisKeysPage {
  readonly cursor: string
  readonly keys: readonly string[]
}

/** How many to look at for a page, and which. */
export interface RedisScanOptions {
  MATCH?: string
  COUNT?: number
}

/**
 * What the sessions need of a connection to Redis: a connected client, pool or cluster of the
 * package `redis` is one.
 */
export interface RedisSessionsClient {
  /** `EVAL`. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** `MGET`. */
  mGet(keys: string[]): Promise<readonly (string | null)[]>
  /** `ZCARD`. */
  zCard(key: string): Promise<number>
  /** `ZSCAN`. */
  zScan(key: string, cursor: string, options: RedisScanOptions): Promise<RedisMembersPage>
  /** `SCAN`. A cluster has none: there, `purge` leaves all to Redis. */
  scan?(cursor: string, options: RedisScanOptions): Promise<RedisKeysPage>
}
