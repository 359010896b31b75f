import { createHash } from 'node:crypto'
import { isReply, type Connection } from './connection.ts'

/** The keys of a ledger. They share a hash tag, so that a Redis Cluster keeps them together. */
export interface LedgerKeys {
  /** Hash: `entryKey` → entry as JSON text, and `epoch` → the epoch. */
  readonly entries: string
  /** Stream: each entry that was taken in, as JSON text; the newest ones. */
  readonly feed: string
  /** Sorted set: `entryKey` by `expires`. */
  readonly expiries: string
}

/** Names the keys of a ledger. */
export const keysOf = (prefix: string): LedgerKeys => ({
  entries: `{${prefix}}:entries`,
  feed: `{${prefix}}:feed`,
  expiries: `{${prefix}}:expiries`,
})

/**
 * The field of the hash that holds the epoch: what this copy of the ledger is called. It lies
 * between the entries so that it is lost when they are. No `entryKey` looks like it.
 */
export const epochField = 'epoch'

/** A script that Redis runs as one step. */
export interface Script {
  readonly text: string
  readonly digest: string
}

const define = (text: string): Script => ({
  text,
  digest: createHash('sha1').update(text).digest('hex'),
})

/**
 * Writes an entry if what stands is what the caller saw ('' for nothing), else answers what stands.
 * The feed comes first: should the second step fail, nodes know too much, and never too little.
 *
 * KEYS: entries, feed, expiries. ARGV: key, expected text, text, expires or '', length of the feed.
 */
export const writeScript: Script = define(`
local standing = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if standing ~= ARGV[2] then return standing end
local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'entry', ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == '' then redis.call('ZREM', KEYS[3], ARGV[1])
else redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1]) end
return { id }`)

/**
 * Removes entries that are past their time, and answers how many. An entry that was written again
 * stands in the sorted set with its new time.
 *
 * KEYS: entries, expiries. ARGV: now, how many at most.
 */
export const purgeScript: Script = define(`
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #due > 0 then
  redis.call('HDEL', KEYS[1], unpack(due))
  redis.call('ZREM', KEYS[2], unpack(due))
end
return #due`)

/**
 * Makes an epoch and a first item of the feed where there is none; answers the epoch and the id of
 * the feed's last item.
 *
 * KEYS: entries, feed. ARGV: epoch to make.
 */
export const establishScript: Script = define(`
redis.call('HSETNX', KEYS[1], '${epochField}', ARGV[1])
local epoch = redis.call('HGET', KEYS[1], '${epochField}')
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if last[1] then return { epoch, last[1][1] } end
return { epoch, redis.call('XADD', KEYS[2], '*', 'epoch', epoch) }`)

/**
 * Answers the epoch, whether the feed holds the item that was read last, and its first item.
 *
 * KEYS: entries, feed. ARGV: id of the item that was read last.
 */
export const checkScript: Script = define(`
local epoch = redis.call('HGET', KEYS[1], '${epochField}') or ''
local read = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
return { epoch, #read, first[1] and first[1][1] or '' }`)

/**
 * Runs a script. Redis forgets scripts when it restarts; then the text is sent.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
 */
export async function runScript(
  connection: Connection,
  { text, digest }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await connection.send(['EVALSHA', digest, ...rest])
  } catch (error) {
    if (!isReply(error, 'NOSCRIPT')) throw error
    return connection.send(['EVAL', text, ...rest])
  }
}
