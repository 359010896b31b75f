// Durable rows with as few lines as possible: whoever waits shares the next commit.
import { randomUUID } from 'node:crypto'

/** Opens a database with one table. @param Database The class of the driver that ours uses */
export function groupCommit(Database, file) {
  const database = new Database(file)
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE',
  )
  database.exec(
    'CREATE TABLE IF NOT EXISTS row (seq INTEGER PRIMARY KEY, id TEXT, stream TEXT, claims TEXT)',
  )
  const insert = database.prepare('INSERT INTO row (id, stream, claims) VALUES (?, ?, ?)')
  let waiting = []
  const flush = () => {
    const batch = waiting
    waiting = []
    database.exec('BEGIN IMMEDIATE')
    for (const { claims } of batch) insert.run(randomUUID(), 's', JSON.stringify(claims))
    database.exec('COMMIT')
    for (const { resolve } of batch) resolve()
  }
  return {
    append: (claims) =>
      new Promise((resolve) => {
        if (waiting.push({ claims, resolve }) === 1) setImmediate(flush)
      }),
    close: () => database.close(),
  }
}
