import type { Subject } from '@drawbridge/schema'
import { checkSession } from './check-session.ts'
import { createRedisCommands } from './redis-commands.ts'
import { createRedisKeys, readRedisOptions, type RedisSessionsOptions } from './redis-keys.ts'
import type { RedisSessionsClient } from './redis-like.ts'
import { nameOfId, nameOfPlace, sessionIn } from './redis-record.ts'
import { registerIn } from './register.ts'
import type { Lookup } from './session-keys.ts'
import { hasExpired } from './session-record.ts'
import type { RegisteredSession, SessionStore } from './sessions.ts'

export { type RedisSessionsOptions } from './redis-keys.ts'
export {
  type RedisKeysPage,
  type RedisMembersPage,
  type RedisScanOptions,
  type RedisSessionsClient,
} from './redis-like.ts'

/**
 * Makes a store of sessions in Redis, which the nodes of an application share. A session's record
 * expires in Redis with the session, and so does each place in which it can be found with the last
 * session in it. The client has to be connected; it stays the application's to close.
 *
 * All keys of one prefix have one hash tag. In a cluster they are thus on one shard, for the names
 * of a session change together: to spread load, use several prefixes. A Redis that may evict
 * forgets sessions: hooks then miss them, while the guard, which asks the ledger alone, does not.
 *
 * @example
 *   const sessions = redisSessions(await createClient({ url }).connect())
 *   const decision = await sessions.register({ id, subject, began, expires }, enforcement)
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 */
export function redisSessions(
  redis: RedisSessionsClient,
  options: RedisSessionsOptions = {},
): SessionStore {
  const { keys, prefix, now } = readRedisOptions(redis, options)
  const commands = createRedisCommands(redis, createRedisKeys(prefix))

  const livingIn = (record: string): RegisteredSession | undefined => {
    const session = sessionIn(record)
    return hasExpired(session, now()) ? undefined : session
  }

  const read = async (id: string): Promise<RegisteredSession | undefined> => {
    const record = await commands.read(nameOfId(id))
    return record === undefined ? undefined : livingIn(record)
  }

  /** The places of the member that the fewest sessions have. */
  const fewestPlaces = async (lookup: Lookup): Promise<readonly string[]> => {
    const candidates = lookup.keys.map((texts) => texts.map(nameOfPlace))
    if (candidates.length < 2) return candidates[0] ?? []
    const counts = await Promise.all(candidates.map(commands.count))
    return candidates[counts.indexOf(Math.min(...counts))] ?? []
  }

  async function* each(subject: Subject): AsyncGenerator<RegisteredSession> {
    const lookup = keys.lookup(subject)
    // A scan may come to one twice, and so may the places of two aliases.
    const seen = new Set<string>()
    for (const place of await fewestPlaces(lookup)) {
      for await (const records of commands.pages(place)) {
        for (const session of records.map(livingIn)) {
          if (!session || seen.has(session.id)) continue
          if (!lookup.reaches(keys.subjects(session))) continue
          seen.add(session.id)
          yield session
        }
      }
    }
  }

  const find = async (subject: Subject): Promise<readonly RegisteredSession[]> => {
    const found: RegisteredSession[] = []
    for await (const session of each(subject)) found.push(session)
    return found
  }

  const store: SessionStore = {
    put: async (session) => {
      checkSession(session)
      const places = keys.filing(keys.subjects(session)).map(nameOfPlace)
      await commands.write(session, places)
    },
    register: (session, enforcement) => registerIn(store, session, enforcement),
    read,
    find,
    each,
    remove: (id) => commands.remove(id),
    purge: (seconds) => commands.purge(seconds * 1000),
  }
  return store
}
