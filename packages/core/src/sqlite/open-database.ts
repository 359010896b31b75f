import { loadDriver, type DriverName, type SqliteDriver, type SqliteStatement } from './driver.ts'

/** Why a database could not be opened. */
export type OpenFailure = 'unavailable' | 'newer-version' | 'not-ours'

/** A database that could not be opened. The owner of the store turns it into its own error. */
export class OpenDatabaseError extends Error {
  override name = 'OpenDatabaseError'
  readonly failure: OpenFailure
  constructor(failure: OpenFailure, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.failure = failure
  }
}

/** What {@link openDatabase} needs to know. */
export interface DatabaseOptions {
  readonly file: string
  /**
   * Stamped into the file (`application_id`), so that another program's database is not taken for
   * ours.
   */
  readonly applicationId: number
  /** The statements of each version in order: the first makes version 1 of an empty file. */
  readonly migrations: readonly string[]
  /** The driver, where the default is not wanted. */
  readonly driver?: DriverName
}

/** An open database with one writer. */
export interface Database {
  /** Prepares a statement, to be run inside {@link Database.commit}, or to read. */
  prepare(sql: string): SqliteStatement
  /** Runs statements at once, each in a commit of its own. */
  exec(sql: string): void
  /**
   * Runs `work` inside the next commit and resolves with its result when that is on disk. All work
   * that is waiting shares one commit: one flush, however many callers. Work that throws is undone
   * alone.
   */
  commit<Result>(work: () => Result): Promise<Result>
  /** Commits what waits and closes the file. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens a database file durably (write-ahead log, flushed at every commit), makes or upgrades its
 * tables, and locks it for this process.
 *
 * @throws OpenDatabaseError when the file cannot be written, is in use, or is from a newer version
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const driver = open(options.file, await loadDriver(options.driver))
  try {
    prepareFile(driver, options)
  } catch (error) {
    driver.close()
    throw error
  }
  return groupCommit(driver)
}

function open(file: string, openDriver: (file: string) => SqliteDriver): SqliteDriver {
  try {
    return openDriver(file)
  } catch (cause) {
    throw unavailable(file, cause)
  }
}

function prepareFile(driver: SqliteDriver, options: DatabaseOptions): void {
  const { file, applicationId, migrations } = options
  let version: number
  let owner: number
  let tables: number
  try {
    driver.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 2000')
    version = pragma(driver, 'user_version')
    owner = pragma(driver, 'application_id')
    tables = number(driver, 'SELECT count(*) FROM sqlite_master')
  } catch (cause) {
    throw unavailable(file, cause)
  }
  // Most programs stamp nothing: tables of somebody else tell as well.
  if (owner !== applicationId && (owner !== 0 || version !== 0 || tables > 0)) {
    throw new OpenDatabaseError('not-ours', `"${file}" is the database of something else`)
  }
  if (version > migrations.length) {
    throw new OpenDatabaseError(
      'newer-version',
      `"${file}" is of version ${version}, and this release reads up to ${migrations.length}: use the release that wrote it, or a newer one`,
    )
  }
  try {
    driver.exec('PRAGMA journal_mode = WAL')
    driver.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    // Takes the lock now: a second process hears about it here and not at its first event.
    driver.exec('BEGIN IMMEDIATE; COMMIT')
    if (version < migrations.length) {
      const steps = migrations.slice(version).join(';\n')
      driver.exec(
        `BEGIN IMMEDIATE;\n${steps};\nPRAGMA application_id = ${applicationId};\nPRAGMA user_version = ${migrations.length};\nCOMMIT`,
      )
    }
  } catch (cause) {
    quietly(() => driver.exec('ROLLBACK'))
    quietly(() => driver.exec(releaseFile))
    throw unavailable(file, cause)
  }
}

/**
 * `libsql` keeps the file, and its lock, until the last statement is garbage. So the lock is given
 * back by hand, which an exclusive connection can only do outside of the write-ahead log.
 */
const releaseFile =
  'PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema'

const pragma = (driver: SqliteDriver, name: string): number => number(driver, `PRAGMA ${name}`)

function number(driver: SqliteDriver, sql: string): number {
  const [row] = driver.prepare(sql).all()
  return Number(Object.values(row as object)[0] ?? 0)
}

function unavailable(file: string, cause: unknown): OpenDatabaseError {
  const text =
    cause !== null && typeof cause === 'object'
      ? String((cause as { message?: unknown }).message)
      : ''
  const why = /lock|busy/i.test(text)
    ? 'another process has it open'
    : /not a database|malformed/i.test(text)
      ? 'it is not an SQLite database'
      : 'its folder must exist and be writable'
  return new OpenDatabaseError('unavailable', `"${file}" cannot be opened: ${why}`, { cause })
}

interface Waiting {
  run(): unknown
  resolve(result: unknown): void
  reject(error: unknown): void
}

function groupCommit(driver: SqliteDriver): Database {
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) =>
    driver.prepare(sql),
  ) as [SqliteStatement, SqliteStatement, SqliteStatement]
  let waiting: Waiting[] = []
  let scheduled = false
  let closed = false

  const flush = (): void => {
    scheduled = false
    const batch = waiting
    waiting = []
    if (batch.length > 0) runBatch(batch)
  }

  const runBatch = (batch: readonly Waiting[]): void => {
    const results: unknown[] = []
    try {
      begin.run()
      for (const item of batch) results.push(item.run())
      commit.run()
    } catch (error) {
      quietly(() => rollback.run())
      // One of them is at fault; alone, the others succeed.
      if (batch.length > 1) for (const item of batch) runBatch([item])
      else batch[0]?.reject(error)
      return
    }
    batch.forEach((item, index) => item.resolve(results[index]))
  }

  return {
    prepare: (sql) => driver.prepare(sql),
    exec: (sql) => void driver.exec(sql),
    commit: <Result>(work: () => Result) =>
      new Promise<Result>((resolve, reject) => {
        if (closed) {
          reject(new OpenDatabaseError('unavailable', 'the database is closed'))
          return
        }
        waiting.push({ run: work, resolve, reject })
        if (scheduled) return
        scheduled = true
        // After the callbacks that are ready now: what they transmit joins the same commit.
        setImmediate(flush)
      }),
    close: async () => {
      if (closed) return
      closed = true
      flush()
      quietly(() => driver.exec(releaseFile))
      driver.close()
    },
  }
}

function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // No transaction was open.
  }
}
