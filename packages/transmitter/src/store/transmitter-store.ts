import type { poll, push, StreamStatusValue } from '@drawbridge/schema'

/** A stream as it is kept. What can be computed from the options, such as a poll URL, is not. */
export interface StreamRecord {
  readonly stream_id: string
  /** `id` of the Receiver that owns the stream. */
  readonly receiver: string
  readonly aud: string
  readonly delivery: StoredDelivery
  readonly events_requested?: readonly string[]
  readonly events_delivered: readonly string[]
  readonly description?: string
  readonly status: StreamStatusValue
  /** Why the status is what it is, in the words of whoever set it last. */
  readonly reason?: string
  /** Who set the status last. What its Receiver stopped, nothing leaves. Absent: its Receiver. */
  readonly status_set_by?: 'receiver' | 'transmitter'
  /** Which subjects the stream has when none was added or removed. Absent: `ALL`. */
  readonly default_subjects?: 'ALL' | 'NONE'
  /** Name of the profile of the Receiver. Absent: `strict`. */
  readonly profile?: string
  /** How the SETs of this stream are signed. Absent: as the Transmitter signs by default. */
  readonly algorithm?: string
  /** True for a stream that comes from the configuration, and is not managed by its Receiver. */
  readonly is_static?: boolean
  /** When its Receiver was active last, in milliseconds since 1970: a little behind. */
  readonly active_at?: number
}

/** How the SETs of a stream travel. The `Authorization` value of a push stream is sealed. */
export type StoredDelivery =
  | { readonly method: typeof poll }
  | {
      readonly method: typeof push
      readonly endpoint_url: string
      readonly sealed_authorization?: string
    }

/** A signing key as it is kept: the private part is sealed under the Transmitter's `secret`. */
export interface StoredKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly alg: string
  /** The public JWK, JSON. */
  readonly public_jwk: string
  readonly sealed_private_jwk: string
  /** From when on it signs, in milliseconds since 1970. It is published before. */
  readonly active_from: number
  /** Until when it is published, once another signs. */
  readonly published_until?: number
}

/**
 * What an outbox entry is: an event for the Receiver, or the announcement that the stream is about
 * to stop or goes on, which leaves a stopped stream too and goes before all events.
 */
export type EntryKind = 'event' | 'announcement'

/** One SET that waits for one stream. */
export interface OutboxEntry {
  readonly stream_id: string
  readonly jti: string
  readonly kind: EntryKind
  /** Whom it is about: entries of one lane are delivered in order. */
  readonly lane: string
  /** The claims in the final 1.0 form, JSON. A repeated delivery repeats them. */
  readonly claims: string
  /** When it was recorded, in milliseconds since 1970. */
  readonly recorded_at: number
}

/** An entry with its place: within one stream, a later entry has a greater `seq`. */
export interface OutboxRow extends OutboxEntry {
  readonly seq: number
}

/** A SET that its Receiver refused, with the reason it gave. */
export interface DeadLetter extends OutboxEntry {
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly buried_at: number
}

/** A SET that its Receiver has taken, kept so that it can be replayed. */
export interface DeliveredEntry extends OutboxEntry {
  /** Milliseconds since 1970. */
  readonly delivered_at: number
}

/** What a status change stores. */
export interface StatusChange {
  readonly status: StreamStatusValue
  readonly reason?: string
  readonly status_set_by: 'receiver' | 'transmitter'
}

/** Which rows of a stream are meant, oldest first. */
export interface RowsWanted {
  readonly kind: EntryKind
  /** Rows with a greater `seq` than this. */
  readonly after: number
  readonly limit: number
}

/** Which of the entries that were delivered are meant, oldest first. */
export interface DeliveredWanted {
  /** Recorded at or after, in milliseconds since 1970. */
  readonly from: number
  /** Recorded before. */
  readonly to: number
  /** How many of them are left out: those of the pages before. */
  readonly skip: number
  readonly limit: number
}

/** How long and how much a stream keeps of what it could not deliver. */
export interface RowLimits {
  /** Rows are dropped until the first that was recorded then or later, in milliseconds since 1970. */
  readonly recordedBefore?: number
  /** Of more rows than this, the oldest are dropped. */
  readonly maxRows?: number
}

/** What waits on a stream. */
export interface Backlog {
  readonly rows: number
  /** When the oldest was recorded; absent where nothing waits. */
  readonly oldest_at?: number
  readonly dead_letters: number
}

/**
 * A subject in the index of subjects: opaque keys that the domain makes. `whole` names the subject;
 * each of `parts` names some of its members, so that a broader subject finds it.
 */
export interface SubjectIndexEntry {
  /** The members it has, a small set of texts over all subjects. */
  readonly shape: string
  readonly whole: string
  readonly parts: readonly string[]
}

/** Whether a subject was added to a stream or removed from it. */
export type SubjectState = 'added' | 'removed'

/** A key of the index that was found on a stream. */
export interface SubjectFound {
  readonly stream_id: string
  readonly key: string
  /** `part`: a narrower subject that was added has these members. */
  readonly state: SubjectState | 'part'
}

/** Changes one subject of a stream. */
export interface SubjectChange {
  readonly entry: SubjectIndexEntry
  /** Undefined: neither added nor removed. */
  readonly state: SubjectState | undefined
  /** From when on it holds, in milliseconds since 1970. Absent: at once. */
  readonly from?: number
}

/**
 * Where a Transmitter keeps what must survive it: keys, streams, subjects, the outbox, dead
 * letters. One store serves any number of issuers, which see nothing of each other.
 */
export interface TransmitterStore {
  /**
   * Opens the store for one issuer, makes its tables where there are none. Each caller closes what
   * it opened, and may open again.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, `ERR_STORAGE_VERSION`
   */
  open(issuer: string): Promise<IssuerStore>
}

/**
 * The part of a store that belongs to one issuer.
 *
 * The port is cut where the transaction is. Every writing method is one transaction, and resolves
 * only when that is durable. `append` looks at the streams _inside_ the transaction, so that no row
 * can be left behind by a stream that was deleted or disabled meanwhile. Two calls of `append` that
 * are made one after the other are ordered that way also when the first was not awaited; an
 * implementation may put many calls into one commit. Nothing here knows a wake-up: whoever appends
 * tells the delivery, in this process by a call.
 *
 * Every method may reject with StorageError `ERR_STORAGE_UNAVAILABLE`.
 */
export interface IssuerStore {
  /** Makes durable what waits, and closes. Idempotent. */
  close(): Promise<void>

  /** All keys, in the order of `active_from`, then as they were added. */
  readKeys(): Promise<readonly StoredKey[]>
  /** Adds keys, or replaces those with the same `kid`, and drops others, in one transaction. */
  writeKeys(keys: readonly StoredKey[], dropped: readonly string[]): Promise<void>

  /** All streams, oldest first. */
  readStreams(): Promise<readonly StreamRecord[]>
  /**
   * Adds a stream.
   *
   * @param onlyOne Whether its Receiver may have no other
   * @returns False when it has another and may not: nothing was added
   */
  createStream(stream: StreamRecord, onlyOne: boolean): Promise<boolean>
  /**
   * Replaces a stream but for its owner, its status and `active_at`.
   *
   * @returns False when there is no such stream
   */
  updateStream(stream: StreamRecord): Promise<boolean>
  /**
   * Changes the status. `disabled` drops all rows that wait, and every change the announcements of
   * changes before; then `announcement` is appended, all in the same transaction.
   *
   * @returns False when there is no such stream
   */
  changeStatus(
    streamId: string,
    change: StatusChange,
    announcement: OutboxEntry | undefined,
  ): Promise<boolean>
  /** Notes when Receivers were active, by `stream_id`, in milliseconds since 1970. */
  noteActivity(activeAt: ReadonlyMap<string, number>): Promise<void>
  /**
   * Deletes a stream with its subjects, rows, dead letters and what was delivered.
   *
   * @returns False when there is no such stream
   */
  deleteStream(streamId: string): Promise<boolean>

  /** The shapes of the subjects of each stream that has or had any. */
  readSubjectShapes(): Promise<readonly { readonly stream_id: string; readonly shape: string }[]>
  /**
   * Changes subjects of a stream, all or none. A change that holds later replaces any that was
   * still to come for the same subject; one that holds at once ends it.
   *
   * @returns False when there is no such stream
   */
  changeSubjects(streamId: string, changes: readonly SubjectChange[]): Promise<boolean>
  /**
   * Carries out the changes of subjects that are due, in milliseconds since 1970, each whole. Many
   * are carried out in several transactions.
   */
  applySubjectChanges(now: number): Promise<void>
  /** Which of these keys are on which streams. As fast with a million subjects as with ten. */
  findSubjects(keys: readonly string[]): Promise<readonly SubjectFound[]>

  /**
   * Adds entries in order, all or none, except those whose stream is gone or disabled.
   *
   * @returns The entries that were added
   */
  append(entries: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]>
  /** Rows of a stream, oldest first. */
  readRows(streamId: string, wanted: RowsWanted): Promise<readonly OutboxRow[]>
  /**
   * Takes rows off that were delivered. Unknown `jti`s, and those of other streams, are ignored.
   *
   * @param keptAt When they were delivered, where they are kept for a replay; undefined forgets
   *   them
   */
  settle(streamId: string, jtis: readonly string[], keptAt: number | undefined): Promise<void>
  /**
   * Moves a row to the dead letters.
   *
   * @returns False when the stream has no such row
   */
  bury(streamId: string, jti: string, why: { reason: string; at: number }): Promise<boolean>
  /**
   * Drops the rows that are over a limit. Announcements stay.
   *
   * @returns How many were dropped
   */
  dropRows(streamId: string, limits: RowLimits): Promise<number>
  /** Counts what waits on a stream. */
  backlog(streamId: string): Promise<Backlog>

  /** Dead letters of a stream, oldest first, after the first `skip`. */
  deadLetters(streamId: string, skip: number, limit: number): Promise<readonly DeadLetter[]>
  /**
   * Moves dead letters back to the end of the outbox, in their order, with the same claims, as if
   * they were recorded now: their age begins anew.
   *
   * @param at Now, in milliseconds since 1970
   * @returns The `jti`s of those that were there
   */
  reviveDeadLetters(
    streamId: string,
    jtis: readonly string[],
    at: number,
  ): Promise<readonly string[]>
  /** Forgets dead letters. Returns how many were there. */
  purgeDeadLetters(streamId: string, jtis: readonly string[]): Promise<number>
  /** What was delivered and kept. */
  readDelivered(streamId: string, wanted: DeliveredWanted): Promise<readonly DeliveredEntry[]>
  /**
   * Forgets what was delivered, or buried, before a time, in milliseconds since 1970. Much is
   * forgotten in many transactions, so that nobody waits for it.
   */
  forget(before: { readonly delivered: number; readonly buried: number }): Promise<void>
}
