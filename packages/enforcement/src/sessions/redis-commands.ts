import { StorageError } from '@drawbridge/schema'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisScanOptions, RedisSessionsClient } from './redis-like.ts'
import { nameOfId, placesIn, recordOf } from './redis-record.ts'
import { expiredScript, sweepScript, writeScript } from './redis-scripts.ts'
import type { RegisteredSession } from './sessions.ts'

/** What the store asks of Redis. */
export interface RedisCommands {
  /** Writes a session in all its places at once. */
  write(session: RegisteredSession, places: readonly string[]): Promise<void>
  /** Removes a session from all its places at once. */
  remove(id: string): Promise<void>
  /** The record with this name. */
  read(name: string): Promise<string | undefined>
  /** How many names are in some places, the expired ones included. */
  count(places: readonly string[]): Promise<number>
  /** The records in a place, a page at a time. One may be in several pages. */
  pages(place: string): AsyncIterable<readonly string[]>
  /** Removes what has expired by a moment, in milliseconds since 1970. */
  purge(nowMs: number): Promise<void>
}

/** How many sessions one command looks at: the one thread of Redis is soon free for others. */
const COUNT = 256

/**
 * Makes the commands.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, each of them, when Redis does not answer
 */
export function createRedisCommands(redis: RedisSessionsClient, keys: RedisKeys): RedisCommands {
  const run = async (script: string, on: readonly string[], args: readonly string[]) =>
    await answer(() => redis.eval(script, { keys: [...on], arguments: [...args] }))

  const readAll = async (names: readonly string[]): Promise<readonly (string | null)[]> =>
    names.length === 0 ? [] : await answer(() => redis.mGet(names.map(keys.record)))

  const sweep = async (place: string, names: readonly string[], moment: string): Promise<void> => {
    if (names.length === 0) return
    const on = [keys.place(place), ...names.map(keys.record)]
    await run(sweepScript, on, [place, moment, ...names])
  }

  /** Puts a record in the place of another. An empty one is none. */
  const replace = async (
    id: string,
    places: readonly string[],
    record: string,
    expires: string,
  ): Promise<void> => {
    const name = nameOfId(id)
    let standing: unknown = ''
    // Once where nothing stood, twice where something did, again only if others write it just now.
    do {
      const before = standing === '' ? [] : placesIn(String(standing))
      const others = before.filter((place) => !places.includes(place))
      const on = [keys.record(name), ...[...places, ...others].map(keys.place)]
      const args = [String(standing), record, expires, name, `${places.length}`]
      standing = await run(writeScript, on, args)
    } while (typeof standing === 'string')
  }

  /** Reads records, and takes the names out of the place that have none in it. */
  const readIn = async (place: string, names: readonly string[]): Promise<readonly string[]> => {
    const records = await readAll(names)
    const isFiled = (record: string | null | undefined): record is string =>
      typeof record === 'string' && placesIn(record).includes(place)
    const strays = names.filter((_, index) => !isFiled(records[index]))
    await sweep(place, strays, '-inf')
    return records.filter(isFiled)
  }

  async function* pages(place: string): AsyncGenerator<readonly string[]> {
    const scan = (cursor: string) => redis.zScan(keys.place(place), cursor, { COUNT })
    for await (const { members } of scanned(scan)) {
      const names = members.map(({ value }) => value)
      yield await readIn(place, names)
    }
  }

  const purgePlace = async (place: string, moment: string): Promise<void> => {
    let names: readonly string[]
    do {
      const found = await run(expiredScript, [keys.place(place)], [moment, `${COUNT}`])
      names = found as readonly string[]
      await sweep(place, names, moment)
    } while (names.length > 0)
  }

  return {
    write: (session, places) =>
      replace(session.id, places, recordOf(session, places), `${session.expires?.getTime() ?? ''}`),
    remove: (id) => replace(id, [], '', ''),
    read: async (name) => (await readAll([name]))[0] ?? undefined,
    count: async (places) => {
      const counting = places.map((place) => answer(() => redis.zCard(keys.place(place))))
      return (await Promise.all(counting)).reduce((sum, size) => sum + size, 0)
    },
    pages,
    purge: async (nowMs) => {
      // A cluster scans no keys. There Redis' own clock has to do.
      const scan = redis.scan?.bind(redis)
      if (!scan) return
      const options: RedisScanOptions = { MATCH: keys.everyPlace, COUNT }
      for await (const page of scanned((cursor) => scan(cursor, options))) {
        const moment = `${Math.floor(nowMs)}`
        await Promise.all(page.keys.map((key) => purgePlace(keys.placeOf(key), moment)))
      }
    },
  }
}

/**
 * Scans to the end.
 *
 * @yields Each page
 */
async function* scanned<Page extends { readonly cursor: string }>(
  scan: (cursor: string) => Promise<Page>,
): AsyncGenerator<Page> {
  let cursor = '0'
  do {
    const from = cursor
    const page = await answer(() => scan(from))
    yield page
    cursor = page.cursor
  } while (cursor !== '0')
}

/** What goes wrong between here and Redis says nothing about a session: an error of its own. */
async function answer<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (cause) {
    throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the session store does not answer', {
      cause,
    })
  }
}
