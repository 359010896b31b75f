import type { Database, SqliteStatement } from '@drawbridge/core/sqlite'

/** The tables, one step for each version. */
export const migrations: readonly string[] = [
  `CREATE TABLE keys (
    kid TEXT PRIMARY KEY,
    alg TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_jwk TEXT NOT NULL
  ) STRICT;
  CREATE TABLE streams (
    stream_id TEXT PRIMARY KEY,
    receiver TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    configuration TEXT NOT NULL
  ) STRICT;
  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    stream_id TEXT NOT NULL,
    jti TEXT NOT NULL,
    lane TEXT NOT NULL,
    claims TEXT NOT NULL
  ) STRICT;
  CREATE INDEX outbox_by_stream ON outbox (stream_id);
  CREATE INDEX outbox_by_jti ON outbox (jti);
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    stream_id TEXT NOT NULL,
    jti TEXT NOT NULL,
    claims TEXT NOT NULL,
    reason TEXT NOT NULL,
    buried_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX dead_letters_by_stream ON dead_letters (stream_id)`,
]

const texts = {
  readKeys: 'SELECT kid, alg, public_jwk, sealed_private_jwk FROM keys ORDER BY rowid',
  addKey: 'INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)',
  readStreams:
    'SELECT stream_id, receiver, status, reason, configuration FROM streams ORDER BY rowid',
  streamsOf: 'SELECT stream_id FROM streams WHERE receiver = ?',
  createStream: 'INSERT INTO streams VALUES (?, ?, ?, ?, ?)',
  updateStream: 'UPDATE streams SET configuration = ? WHERE stream_id = ?',
  changeStatus: 'UPDATE streams SET status = ?, reason = ? WHERE stream_id = ?',
  deleteStream: 'DELETE FROM streams WHERE stream_id = ?',
  // One statement instead of a look-up and an insert: this is the line `transmit` waits for.
  append: `INSERT INTO outbox (seq, stream_id, jti, lane, claims) SELECT ?, ?, ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM streams WHERE stream_id = ? AND status <> 'disabled')`,
  lastSeq: 'SELECT max(seq) AS seq FROM outbox',
  readRows: `SELECT seq, stream_id, jti, lane, claims FROM outbox
    WHERE stream_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
  dropRow: 'DELETE FROM outbox WHERE jti = ? AND stream_id = ?',
  dropRows: 'DELETE FROM outbox WHERE stream_id = ?',
  bury: `INSERT INTO dead_letters (stream_id, jti, claims, reason, buried_at)
    SELECT stream_id, jti, claims, ?, ? FROM outbox WHERE jti = ? AND stream_id = ?`,
  deadLetters: `SELECT stream_id, jti, claims, reason, buried_at FROM dead_letters
    WHERE stream_id = ? ORDER BY id`,
  dropDeadLetters: 'DELETE FROM dead_letters WHERE stream_id = ?',
} as const

/** The prepared statements of the store by name. */
export type Statements = Readonly<Record<keyof typeof texts, SqliteStatement>>

/** Prepares every statement of the store. */
export function statements(database: Database): Statements {
  return Object.fromEntries(
    Object.entries(texts).map(([name, sql]) => [name, database.prepare(sql)]),
  ) as Statements
}
