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
}

/** One SET that waits for one stream. */
export interface OutboxEntry {
  readonly stream_id: string
  readonly jti: string
  /** Whom it is about: entries of one lane are delivered in order. */
  readonly lane: string
  /** The claims, JSON. Signed as they are, so that a repeated delivery repeats them. */
  readonly claims: string
}

/** An entry with its place: within one stream, a later entry has a greater `seq`. */
export interface OutboxRow extends OutboxEntry {
  readonly seq: number
}

/** A SET that its Receiver refused, with the reason it gave. */
export interface DeadLetter {
  readonly stream_id: string
  readonly jti: string
  readonly claims: string
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly buried_at: number
}

/** What a status change stores. */
export interface StatusChange {
  readonly status: StreamStatusValue
  readonly reason?: string
}

/**
 * Where a Transmitter keeps what must survive it: keys, streams, the outbox, dead letters.
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
export interface TransmitterStore {
  /**
   * Opens the store, makes its tables where there are none. Idempotent, and possible again after
   * `close`.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, `ERR_STORAGE_VERSION`
   */
  open(): Promise<void>
  /** Makes durable what waits, and closes. Idempotent. */
  close(): Promise<void>

  /** All keys, oldest first. */
  readKeys(): Promise<readonly StoredKey[]>
  /** Adds a key. A `kid` that exists stays as it is. */
  addKey(key: StoredKey): Promise<void>

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
   * Replaces a stream but for its owner and its status.
   *
   * @returns False when there is no such stream
   */
  updateStream(stream: StreamRecord): Promise<boolean>
  /**
   * Changes the status. `disabled` drops all rows that wait, in the same transaction.
   *
   * @returns False when there is no such stream
   */
  changeStatus(streamId: string, change: StatusChange): Promise<boolean>
  /**
   * Deletes a stream with its rows and dead letters.
   *
   * @returns False when there is no such stream
   */
  deleteStream(streamId: string): Promise<boolean>

  /**
   * Adds entries in order, all or none, except those whose stream is gone or disabled.
   *
   * @returns The entries that were added
   */
  append(entries: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]>
  /** The rows of a stream after a place, oldest first. */
  readRows(streamId: string, afterSeq: number, limit: number): Promise<readonly OutboxRow[]>
  /** Forgets rows that were delivered. Unknown `jti`s, and those of other streams, are ignored. */
  settle(streamId: string, jtis: readonly string[]): Promise<void>
  /**
   * Moves a row to the dead letters.
   *
   * @returns False when the stream has no such row
   */
  bury(streamId: string, jti: string, why: { reason: string; at: number }): Promise<boolean>
  /** The dead letters of a stream, oldest first. */
  deadLetters(streamId: string): Promise<readonly DeadLetter[]>
}
