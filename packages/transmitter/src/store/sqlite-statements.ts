import type { Database, SqliteStatement } from '@drawbridge/core/sqlite'

const streams = {
  findIssuer: 'SELECT id FROM issuers WHERE issuer = ?',
  addIssuer: 'INSERT INTO issuers (issuer) VALUES (?)',
  readKeys: `SELECT kid, alg, public_jwk, sealed_private_jwk, active_from, published_until
    FROM keys WHERE issuer = ? ORDER BY active_from, id`,
  writeKey: `INSERT INTO keys
    (issuer, kid, alg, public_jwk, sealed_private_jwk, active_from, published_until)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (issuer, kid) DO UPDATE SET alg = excluded.alg, public_jwk = excluded.public_jwk,
      sealed_private_jwk = excluded.sealed_private_jwk, active_from = excluded.active_from,
      published_until = excluded.published_until`,
  dropKey: 'DELETE FROM keys WHERE issuer = ? AND kid = ?',
  readStreams: `SELECT stream_id, receiver, status, reason, status_set_by, active_at, configuration
    FROM streams WHERE issuer = ? ORDER BY id`,
  findStream: 'SELECT id, status FROM streams WHERE issuer = ? AND stream_id = ?',
  streamsOf: 'SELECT 1 FROM streams WHERE issuer = ? AND receiver = ? LIMIT 1',
  createStream: `INSERT INTO streams
    (issuer, stream_id, receiver, status, reason, status_set_by, active_at, configuration)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  updateStream: 'UPDATE streams SET configuration = ? WHERE id = ?',
  changeStatus: 'UPDATE streams SET status = ?, reason = ?, status_set_by = ? WHERE id = ?',
  noteActivity: 'UPDATE streams SET active_at = ? WHERE id = ?',
  deleteStream: 'DELETE FROM streams WHERE id = ?',
  deleteShapes: 'DELETE FROM shapes WHERE stream = ?',
  deleteSubjects: 'DELETE FROM subjects WHERE stream = ?',
  deleteLaterSubjects: 'DELETE FROM later_subjects WHERE stream = ?',
  deleteRows: 'DELETE FROM outbox WHERE stream = ?',
  deleteDeadLetters: 'DELETE FROM dead_letters WHERE stream = ?',
  deleteDelivered: 'DELETE FROM delivered WHERE stream = ?',
} as const

const subjects = {
  readShapes: `SELECT streams.stream_id, shapes.shape FROM shapes
    JOIN streams ON streams.id = shapes.stream WHERE streams.issuer = ?`,
  addShape: 'INSERT OR IGNORE INTO shapes (stream, shape) VALUES (?, ?)',
  readState: 'SELECT state FROM subjects WHERE key = ? AND stream = ?',
  setState: `INSERT INTO subjects (key, stream, state, parts) VALUES (?, ?, ?, 0)
    ON CONFLICT DO UPDATE SET state = excluded.state`,
  countPart: `INSERT INTO subjects (key, stream, state, parts) VALUES (?, ?, 0, ?)
    ON CONFLICT DO UPDATE SET parts = parts + excluded.parts`,
  dropEmpty: 'DELETE FROM subjects WHERE key = ? AND stream = ? AND state = 0 AND parts = 0',
  // CROSS JOIN: the subjects first, and not all streams of the issuer.
  findSubjects: `SELECT streams.stream_id, subjects.state, subjects.parts FROM subjects
    CROSS JOIN streams ON streams.id = subjects.stream
    WHERE subjects.key = ? AND streams.issuer = ?`,
  setLater: `INSERT OR REPLACE INTO later_subjects (stream, whole, holds_from, change)
    VALUES (?, ?, ?, ?)`,
  dropLater: 'DELETE FROM later_subjects WHERE stream = ? AND whole = ?',
  readDue: `SELECT later_subjects.stream, later_subjects.whole, later_subjects.change
    FROM later_subjects CROSS JOIN streams ON streams.id = later_subjects.stream
    WHERE holds_from <= ? AND streams.issuer = ? ORDER BY holds_from LIMIT ?`,
} as const

const rows = {
  lastSeq: `SELECT max(coalesce((SELECT max(seq) FROM outbox), 0),
    coalesce((SELECT max(seq) FROM delivered), 0)) AS seq`,
  append: `INSERT INTO outbox (seq, stream, kind, recorded_at, jti, lane, claims)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  readRows: `SELECT seq, recorded_at, jti, lane, claims FROM outbox
    WHERE stream = ? AND kind = ? AND seq > ? ORDER BY seq LIMIT ?`,
  // "+" keeps the planner from walking all rows of the stream.
  dropRow: 'DELETE FROM outbox WHERE jti = ? AND +stream = ?',
  dropAnnouncements: 'DELETE FROM outbox WHERE stream = ? AND kind = 1',
  keepDelivered: `INSERT OR REPLACE INTO delivered
    (seq, stream, kind, recorded_at, jti, lane, claims, delivered_at)
    SELECT seq, stream, kind, recorded_at, jti, lane, claims, ? FROM outbox
    WHERE jti = ? AND +stream = ?`,
  bury: `INSERT OR REPLACE INTO dead_letters
    (stream, kind, recorded_at, jti, lane, claims, reason, buried_at)
    SELECT stream, kind, recorded_at, jti, lane, claims, ?, ? FROM outbox
    WHERE jti = ? AND +stream = ?`,
  firstSince: `SELECT seq FROM outbox WHERE stream = ? AND kind = 0 AND recorded_at >= ?
    ORDER BY seq LIMIT 1`,
  firstBeyond: `SELECT seq FROM outbox WHERE stream = ? AND kind = 0
    ORDER BY seq DESC LIMIT 1 OFFSET ?`,
  dropEvents: 'DELETE FROM outbox WHERE stream = ? AND kind = 0 AND seq < ?',
  countRows: 'SELECT count(*) AS count FROM outbox WHERE stream = ?',
  countDeadLetters: 'SELECT count(*) AS count FROM dead_letters WHERE stream = ?',
} as const

const history = {
  deadLetters: `SELECT kind, recorded_at, jti, lane, claims, reason, buried_at FROM dead_letters
    WHERE stream = ? ORDER BY buried_at, id LIMIT ? OFFSET ?`,
  findDeadLetter: `SELECT id, buried_at, jti FROM dead_letters WHERE stream = ? AND jti = ?`,
  revive: `INSERT INTO outbox (seq, stream, kind, recorded_at, jti, lane, claims)
    SELECT ?, stream, kind, ?, jti, lane, claims FROM dead_letters WHERE id = ?`,
  purge: 'DELETE FROM dead_letters WHERE stream = ? AND jti = ?',
  readDelivered: `SELECT kind, recorded_at, jti, lane, claims, delivered_at FROM delivered
    WHERE stream = ? AND recorded_at >= ? AND recorded_at < ?
    ORDER BY recorded_at, seq LIMIT ? OFFSET ?`,
  // What was delivered before was recorded before: the index of that time finds it.
  forgetDelivered: `DELETE FROM delivered WHERE seq IN (SELECT delivered.seq FROM streams
    JOIN delivered ON delivered.stream = streams.id
    WHERE streams.issuer = ? AND delivered.recorded_at < ? AND delivered.delivered_at < ? LIMIT ?)`,
  forgetBuried: `DELETE FROM dead_letters WHERE id IN (SELECT dead_letters.id FROM streams
    JOIN dead_letters ON dead_letters.stream = streams.id
    WHERE streams.issuer = ? AND dead_letters.buried_at < ? LIMIT ?)`,
} as const

type Name = keyof typeof streams | keyof typeof subjects | keyof typeof rows | keyof typeof history

/** The prepared statements of the store by name. */
export type Statements = Readonly<Record<Name, SqliteStatement>>

/** Prepares every statement of the store. */
export function statements(database: Database): Statements {
  return Object.fromEntries(
    Object.entries({ ...streams, ...subjects, ...rows, ...history }).map(([name, sql]) => [
      name,
      database.prepare(sql),
    ]),
  ) as Statements
}
