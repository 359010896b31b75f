/** The parameters of a statement: the two types that both drivers take alike. */
export type SqlValue = string | number | null

/** A prepared statement. */
export interface SqliteStatement {
  /** Runs it for its effect. */
  run(...parameters: SqlValue[]): unknown
  /** Returns every row. */
  all(...parameters: SqlValue[]): unknown[]
}

/** What Drawbridge needs of an SQLite database: `node:sqlite` and `libsql` both have it. */
export interface SqliteDriver {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** Opens a database file. `:memory:` is not durable and meant for tests. */
export type OpenDriver = (file: string) => SqliteDriver

/** The two drivers by name. */
export type DriverName = 'node:sqlite' | 'libsql'

/**
 * Loads a driver: the one named, else `node:sqlite` where Node has it (22.13 and later), else
 * `libsql`.
 *
 * @throws Error that says what to install where neither can be loaded
 */
export async function loadDriver(name?: DriverName): Promise<OpenDriver> {
  if (name !== 'libsql' && hasNodeSqlite()) {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as unknown as {
      DatabaseSync: new (file: string) => SqliteDriver
    }
    return (file) => new DatabaseSync(file)
  }
  if (name === 'node:sqlite') throw new Error('this Node has no node:sqlite: use 22.13 or later')
  try {
    const { default: Database } = (await import('libsql')) as unknown as {
      default: new (file: string) => SqliteDriver
    }
    return (file) => new Database(file)
  } catch (cause) {
    throw new Error('no SQLite driver: run "npm install libsql", or use Node 22.13 or later', {
      cause,
    })
  }
}

/** Tells whether this Node has `node:sqlite` without a flag. */
export function hasNodeSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major >= 24 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13)
}
