// Keeps express-session's sessions in an SQLite file, so that they outlive the process, as they would
// in any real deployment.
import session, { type SessionData } from 'express-session'
import { openDatabase, type Database } from '@drawbridge/core/sqlite'

/** Opens the store. */
export async function openSessionStore(file: string): Promise<session.Store> {
  const database = await openDatabase({
    file,
    applicationId: 0x64656d6f, // "demo"
    migrations: ['CREATE TABLE session (id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT'],
  })
  return new SqliteSessionStore(database)
}

class SqliteSessionStore extends session.Store {
  readonly #database: Database
  constructor(database: Database) {
    super()
    this.#database = database
  }
  override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
    const [row] = this.#database.prepare('SELECT data FROM session WHERE id = ?').all(id)
    done(null, row ? (JSON.parse((row as { data: string }).data) as SessionData) : null)
  }
  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    const statement = this.#database.prepare('INSERT OR REPLACE INTO session VALUES (?, ?)')
    const text = JSON.stringify(data)
    void this.#database.commit(() => statement.run(id, text)).then(() => done?.(), done)
  }
  override destroy(id: string, done?: (error?: unknown) => void): void {
    const statement = this.#database.prepare('DELETE FROM session WHERE id = ?')
    void this.#database.commit(() => statement.run(id)).then(() => done?.(), done)
  }
}
