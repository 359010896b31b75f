/**
 * The tables, one step for each version. A row of the outbox says in small integers to whom it
 * belongs: it is what `transmit` waits for. Ids of streams are never used twice, so that nothing of
 * a deleted stream can be taken for the rows of another.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE issuers (
    id INTEGER PRIMARY KEY,
    issuer TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE keys (
    id INTEGER PRIMARY KEY,
    issuer INTEGER NOT NULL,
    kid TEXT NOT NULL,
    alg TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_jwk TEXT NOT NULL,
    active_from INTEGER NOT NULL,
    published_until INTEGER,
    UNIQUE (issuer, kid)
  ) STRICT;
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issuer INTEGER NOT NULL,
    stream_id TEXT NOT NULL,
    receiver TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    status_set_by TEXT,
    active_at INTEGER,
    configuration TEXT NOT NULL,
    UNIQUE (issuer, stream_id)
  ) STRICT;
  CREATE TABLE shapes (
    stream INTEGER NOT NULL,
    shape TEXT NOT NULL,
    PRIMARY KEY (stream, shape)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE subjects (
    key TEXT NOT NULL,
    stream INTEGER NOT NULL,
    state INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (key, stream)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE later_subjects (
    stream INTEGER NOT NULL,
    whole TEXT NOT NULL,
    holds_from INTEGER NOT NULL,
    change TEXT NOT NULL,
    PRIMARY KEY (stream, whole)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX later_subjects_by_time ON later_subjects (holds_from);
  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    jti TEXT NOT NULL,
    lane TEXT NOT NULL,
    claims TEXT NOT NULL
  ) STRICT;
  CREATE INDEX outbox_by_stream ON outbox (stream, kind);
  CREATE INDEX outbox_by_jti ON outbox (jti);
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    jti TEXT NOT NULL,
    lane TEXT NOT NULL,
    claims TEXT NOT NULL,
    reason TEXT NOT NULL,
    buried_at INTEGER NOT NULL,
    UNIQUE (stream, jti)
  ) STRICT;
  CREATE INDEX dead_letters_by_time ON dead_letters (stream, buried_at);
  CREATE TABLE delivered (
    seq INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    jti TEXT NOT NULL,
    lane TEXT NOT NULL,
    claims TEXT NOT NULL,
    delivered_at INTEGER NOT NULL,
    UNIQUE (stream, jti)
  ) STRICT;
  CREATE INDEX delivered_by_time ON delivered (stream, recorded_at)`,
]
