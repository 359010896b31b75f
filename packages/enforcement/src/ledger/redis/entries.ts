import { entryKey, readEntry, type LedgerEntry } from '../ledger-entry.ts'
import { merge, type Written } from '../ledger.ts'
import type { Connection } from './connection.ts'
import { epochField, purgeScript, runScript, writeScript, type LedgerKeys } from './scripts.ts'
import { createUnanswered } from './unanswered.ts'

/** How many entries one command reads or removes: about a millisecond of Redis's time. */
const batch = '500'

/** The entries of a ledger in Redis. */
export interface RedisEntries {
  write(entry: LedgerEntry): Promise<Written>
  /** Reads all entries, one page after the other. One can come twice. */
  pages(connection: Connection): AsyncIterable<readonly string[]>
  purge(now: number): Promise<void>
}

/** How the entries are written. */
export interface EntriesSettings {
  readonly keys: LedgerKeys
  readonly feedLength: number
  /** Hears the id that the feed gave to an entry that was acknowledged. */
  readonly acknowledged: (id: string) => void
}

/** Reads and writes entries. */
export function createEntries(connection: Connection, settings: EntriesSettings): RedisEntries {
  const { keys, feedLength, acknowledged } = settings
  const unanswered = createUnanswered()

  /** Resolves with the id in the feed, or with the text that stands instead of the expected one. */
  const swap = async (
    entry: LedgerEntry,
    text: string,
    expected: string,
  ): Promise<readonly [string] | string> => {
    const expires = entry.expires === undefined ? '' : String(entry.expires)
    const args = [entryKey(entry), expected, text, expires, String(feedLength)]
    const all = [keys.entries, keys.feed, keys.expiries]
    return (await runScript(connection, writeScript, all, args)) as readonly [string] | string
  }

  /** Tries against what stands ('' for nothing); a further try means that another write won. */
  const attempt = async (entry: LedgerEntry, text: string, standing: string): Promise<Written> => {
    const earlier = standing === '' ? undefined : unanswered.take(text)
    if (earlier && standing === text) return earlier
    const written = merge(standing === '' ? undefined : readEntry(standing), entry)
    if (!written.changed) return written
    const answer = await unanswered.during(text, written, swap(entry, text, standing))
    if (typeof answer === 'string') return attempt(entry, text, answer)
    unanswered.take(text)
    acknowledged(answer[0])
    return written
  }

  return {
    // Most entries are the first with their key.
    write: (entry) => attempt(entry, JSON.stringify(entry), ''),
    pages: (from) => readPages(from, keys.entries),
    purge: async (now) => {
      const args = [String(Math.floor(now)), batch]
      const removed = (): Promise<unknown> =>
        runScript(connection, purgeScript, [keys.entries, keys.expiries], args)
      while (Number(await removed()) >= Number(batch)) continue
    },
  }
}

async function* readPages(connection: Connection, key: string): AsyncGenerator<readonly string[]> {
  let cursor = '0'
  do {
    const answer = await connection.send(['HSCAN', key, cursor, 'COUNT', batch])
    const [next, pairs] = answer as [string, string[]]
    yield pairs.filter((_, at) => at % 2 === 1 && pairs[at - 1] !== epochField)
    cursor = next
  } while (cursor !== '0')
}
