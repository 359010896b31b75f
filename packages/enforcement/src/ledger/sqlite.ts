import {
  openDatabase,
  type Database,
  type DriverName,
  type OpenDatabaseError,
} from '@drawbridge/core/sqlite'
import { StorageError } from '@drawbridge/schema'
import { entryKey, readEntry, type LedgerEntry } from './ledger-entry.ts'
import { merge, type Ledger, type Written } from './ledger.ts'

/** Says in the file's header that it is a ledger: "DBLG". */
const applicationId = 0x44424c47

const migrations = [
  `CREATE TABLE entries (key TEXT PRIMARY KEY, entry TEXT NOT NULL, expires INTEGER) WITHOUT ROWID;
   CREATE INDEX entries_by_expiry ON entries (expires) WHERE expires IS NOT NULL`,
]

/** How {@link sqliteLedger} opens its file. */
export interface SqliteLedgerOptions {
  /** The driver. Default: `node:sqlite` where Node has it (22.13 and later), else `libsql`. */
  readonly driver?: DriverName
}

/**
 * Makes a ledger in one file, for one process: durable at every write, through a crash as well.
 * Writes that wait share one flush.
 *
 * @param file Made where it does not exist; its folder must
 */
export function sqliteLedger(file: string, options: SqliteLedgerOptions = {}): Ledger {
  let opening: Promise<OpenLedger> | undefined
  const opened = async (): Promise<OpenLedger> => {
    if (!opening) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the ledger is not open')
    return opening
  }
  return {
    open: async () => {
      opening ??= openLedger(file, options)
      try {
        await opening
      } catch (error) {
        opening = undefined
        throw error
      }
    },
    readAll: async () => (await opened()).readAll(),
    write: async (entry) => (await opened()).write(entry),
    purge: async (now) => (await opened()).purge(now),
    close: async () => {
      const closing = opening
      opening = undefined
      await (await closing)?.close()
    },
  }
}

type OpenLedger = Omit<Ledger, 'open'>

async function openLedger(file: string, options: SqliteLedgerOptions): Promise<OpenLedger> {
  try {
    return ledgerOn(await openDatabase({ ...options, file, applicationId, migrations }))
  } catch (error) {
    const { failure, message } = error as OpenDatabaseError
    const code = failure === 'newer-version' ? 'ERR_STORAGE_VERSION' : 'ERR_STORAGE_UNAVAILABLE'
    throw new StorageError(code, `the ledger ${message}`, { cause: error })
  }
}

function ledgerOn(database: Database): OpenLedger {
  const readAll = database.prepare('SELECT entry FROM entries')
  const read = database.prepare('SELECT entry FROM entries WHERE key = ?')
  const put = database.prepare(
    `INSERT INTO entries (key, entry, expires) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET entry = excluded.entry, expires = excluded.expires`,
  )
  const purge = database.prepare('DELETE FROM entries WHERE expires <= ?')

  const mergeIn = (entry: LedgerEntry): Written => {
    const key = entryKey(entry)
    const [before] = entriesOf(read.all(key))
    const written = merge(before, entry)
    if (written.changed) put.run(key, JSON.stringify(entry), entry.expires ?? null)
    return written
  }

  return {
    readAll: async () => entriesOf(readAll.all()),
    write: (entry) => commit(database, () => mergeIn(entry)),
    purge: (now) => commit(database, () => void purge.run(Math.floor(now))),
    close: () => database.close(),
  }
}

const entriesOf = (rows: readonly unknown[]): LedgerEntry[] =>
  rows.map((row) => readEntry((row as { entry: string }).entry))

async function commit<Result>(database: Database, work: () => Result): Promise<Result> {
  try {
    return await database.commit(work)
  } catch (cause) {
    if ((cause as Error).name === 'StorageError') throw cause
    throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the ledger cannot be written', { cause })
  }
}
