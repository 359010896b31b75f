import {
  openDatabase,
  type Database,
  type DriverName,
  type OpenDatabaseError,
  type SqliteStatement,
} from '@drawbridge/core/sqlite'
import { StorageError } from '@drawbridge/schema'
import type { Inbox, InboxDeadLetter, InboxRow, InboxState } from './inbox.ts'

/** Says in the file's header that it is an inbox: "DBIN". */
const applicationId = 0x4442494e

const migrations = [
  // A handled SET is remembered by its name alone.
  `CREATE TABLE sets (
    iss TEXT NOT NULL,
    jti TEXT NOT NULL,
    state TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (iss, jti)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sets_by_age ON sets (changed_at) WHERE state = 'handled';
  CREATE TABLE kept (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    iss TEXT NOT NULL,
    jti TEXT NOT NULL,
    transmitter TEXT NOT NULL,
    lane TEXT NOT NULL,
    claims TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    buried_at INTEGER,
    reason TEXT
  ) STRICT;
  CREATE UNIQUE INDEX kept_by_name ON kept (iss, jti);
  CREATE INDEX kept_waiting ON kept (seq) WHERE buried_at IS NULL`,
]

/** How {@link sqliteInbox} opens its file. */
export interface SqliteInboxOptions {
  /** The driver. Default: `node:sqlite` where Node has it (22.13 and later), else `libsql`. */
  readonly driver?: DriverName
  /** How long it is remembered that a SET was handled, in days. Default: 30. */
  readonly rememberDays?: number
}

const dayMs = 24 * 60 * 60 * 1000
/** After so many handled SETs, the old ones are forgotten. */
const forgetEvery = 1000

const texts = {
  read: 'SELECT state FROM sets WHERE iss = ? AND jti = ?',
  put: `INSERT INTO sets (iss, jti, state, changed_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (iss, jti) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at`,
  forget: `DELETE FROM sets WHERE state = 'handled' AND changed_at < ?`,
  keep: `INSERT INTO kept (iss, jti, transmitter, lane, claims, received_at, attempts)
    VALUES (?, ?, ?, ?, ?, ?, 0)`,
  drop: 'DELETE FROM kept WHERE iss = ? AND jti = ?',
  waiting: `SELECT seq, iss, jti, transmitter, lane, claims, received_at, attempts FROM kept
    WHERE buried_at IS NULL AND seq > ? ORDER BY seq LIMIT ?`,
  note: 'UPDATE kept SET attempts = ? WHERE iss = ? AND jti = ?',
  bury: `UPDATE kept SET buried_at = ?, reason = ?
    WHERE iss = ? AND jti = ? AND buried_at IS NULL`,
  deadLetters: `SELECT iss, jti, transmitter, lane, claims, received_at, attempts, reason, buried_at
    FROM kept WHERE buried_at IS NOT NULL ORDER BY buried_at, seq LIMIT ? OFFSET ?`,
  readDead: `SELECT iss, jti, transmitter, lane, claims, received_at FROM kept
    WHERE iss = ? AND jti = ? AND buried_at IS NOT NULL`,
} as const

type Statements = Readonly<Record<keyof typeof texts, SqliteStatement>>

interface Open {
  readonly database: Database
  readonly sql: Statements
}

/**
 * Makes an inbox in one file, for one process: durable at every write, through a crash as well.
 * Writes that wait share one flush.
 *
 * @param file Made where it does not exist; its folder must
 */
export function sqliteInbox(file: string, options: SqliteInboxOptions = {}): Inbox {
  const rememberMs = (options.rememberDays ?? 30) * dayMs
  let opening: Promise<Open> | undefined
  let handled = 0

  const opened = async (): Promise<Open> => {
    if (!opening) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the inbox is not open')
    return opening
  }
  const commit = async <Result>(work: (sql: Statements) => Result): Promise<Result> => {
    const { database, sql } = await opened()
    try {
      return await database.commit(() => work(sql))
    } catch (cause) {
      throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the inbox cannot be written', { cause })
    }
  }

  return {
    open: async () => {
      opening ??= openInbox(file, options)
      try {
        await opening
      } catch (error) {
        opening = undefined
        throw error
      }
    },
    close: async () => {
      const closing = opening
      opening = undefined
      await (await closing)?.database.close()
    },
    read: async ({ iss, jti }) => {
      const [row] = (await opened()).sql.read.all(iss, jti) as { state: InboxState }[]
      return row?.state ?? 'unknown'
    },
    markHandled: ({ iss, jti }, at) =>
      commit((sql) => {
        sql.put.run(iss, jti, 'handled', at)
        sql.drop.run(iss, jti)
        if (++handled % forgetEvery === 0) sql.forget.run(at - rememberMs)
      }),
    store: ({ iss, jti, transmitter, lane, claims, received_at }) =>
      commit((sql) => {
        if (sql.read.all(iss, jti).length > 0) return false
        sql.put.run(iss, jti, 'waiting', received_at)
        sql.keep.run(iss, jti, transmitter, lane, claims, received_at)
        return true
      }),
    waiting: async (after, limit) =>
      (await opened()).sql.waiting.all(after, limit) as readonly InboxRow[],
    noteAttempts: ({ iss, jti }, attempts) =>
      commit((sql) => void sql.note.run(attempts, iss, jti)),
    bury: ({ iss, jti }, { reason, at }) =>
      commit((sql) => {
        if (changes(sql.bury.run(at, reason, iss, jti)) > 0) sql.put.run(iss, jti, 'dead', at)
      }),
    deadLetters: async (skip, limit) =>
      (await opened()).sql.deadLetters.all(limit, skip) as readonly InboxDeadLetter[],
    revive: (names) =>
      commit((sql) => {
        const dead = names.flatMap(({ iss, jti }) => sql.readDead.all(iss, jti) as InboxRow[])
        for (const { iss, jti, transmitter, lane, claims, received_at } of dead) {
          sql.drop.run(iss, jti)
          sql.keep.run(iss, jti, transmitter, lane, claims, received_at)
          sql.put.run(iss, jti, 'waiting', received_at)
        }
        return dead.length
      }),
    purge: (names, at) =>
      commit((sql) => {
        const dead = names.filter(({ iss, jti }) => sql.readDead.all(iss, jti).length > 0)
        for (const { iss, jti } of dead) {
          sql.drop.run(iss, jti)
          sql.put.run(iss, jti, 'handled', at)
        }
        return dead.length
      }),
  }
}

async function openInbox(file: string, { driver }: SqliteInboxOptions): Promise<Open> {
  try {
    const given = driver === undefined ? {} : { driver }
    const database = await openDatabase({ file, applicationId, migrations, ...given })
    const sql = Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, database.prepare(text)]),
    ) as Statements
    return { database, sql }
  } catch (error) {
    const { failure, message } = error as OpenDatabaseError
    const code = failure === 'newer-version' ? 'ERR_STORAGE_VERSION' : 'ERR_STORAGE_UNAVAILABLE'
    throw new StorageError(code, `the inbox ${message}`, { cause: error })
  }
}

/** Both drivers say how many rows a statement touched. */
const changes = (result: unknown): number => (result as { changes: number }).changes
