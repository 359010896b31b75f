/** Names a SET. */
export interface SetName {
  readonly iss: string
  readonly jti: string
}

/** A SET that is kept to be handled later. */
export interface InboxEntry extends SetName {
  /** The name of the Transmitter it came from. */
  readonly transmitter: string
  /** Whom it is about: SETs of one lane are handled in the order they came. */
  readonly lane: string
  /** The claims in the form of SSF 1.0, JSON. */
  readonly claims: string
  /** Milliseconds since 1970. */
  readonly received_at: number
}

/** A kept SET with its place: a later one has a greater `seq`. */
export interface InboxRow extends InboxEntry {
  readonly seq: number
  /** How many attempts to handle it have failed. */
  readonly attempts: number
}

/** A SET whose handlers failed every time. */
export interface InboxDeadLetter extends InboxEntry {
  readonly attempts: number
  /** What the last attempt threw, in the words of the application. */
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly buried_at: number
}

/**
 * What an inbox knows of a SET. `waiting`: it is kept and will be handled. `dead`: its handlers
 * failed every time.
 */
export type InboxState = 'unknown' | 'waiting' | 'handled' | 'dead'

/**
 * Which SETs were handled and which wait, by (`iss`, `jti`): the memory that tells a repeated SET,
 * and the queue of those that are acknowledged before they are handled, are one table. Written only
 * after the signature was verified. Every writing method resolves when what it wrote is as durable
 * as the inbox is, and may reject with StorageError `ERR_STORAGE_UNAVAILABLE`.
 */
export interface Inbox {
  /**
   * Opens it. Idempotent, and possible again after `close`.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, `ERR_STORAGE_VERSION`
   */
  open(): Promise<void>
  /** Makes durable what waits, and closes. Idempotent. */
  close(): Promise<void>
  /** Tells what is known of a SET. */
  read(name: SetName): Promise<InboxState>
  /** Notes that a SET was handled, whatever was known of it. */
  markHandled(name: SetName, at: number): Promise<void>
  /** Keeps a SET to be handled. False when it was known already, and nothing changed. */
  store(entry: InboxEntry): Promise<boolean>
  /** SETs that wait, in the order they came, with a greater `seq` than `after`. */
  waiting(after: number, limit: number): Promise<readonly InboxRow[]>
  /** Notes how many attempts have failed. */
  noteAttempts(name: SetName, attempts: number): Promise<void>
  /** Gives a SET that waits up. */
  bury(name: SetName, why: { readonly reason: string; readonly at: number }): Promise<void>
  /** The SETs that were given up, oldest first, after the first `skip`. */
  deadLetters(skip: number, limit: number): Promise<readonly InboxDeadLetter[]>
  /** Lets dead letters wait again, behind all others, their attempts forgotten. Returns how many. */
  revive(names: readonly SetName[]): Promise<number>
  /** Forgets dead letters; they count as handled. Returns how many. */
  purge(names: readonly SetName[], at: number): Promise<number>
}
