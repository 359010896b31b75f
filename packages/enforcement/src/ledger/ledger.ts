import type { LedgerEntry } from './ledger-entry.ts'
import { supersedes } from './supersedes.ts'

/** What a write did. */
export interface Written {
  /** False when the ledger knew as much or more: a signal that is repeated, late or replayed. */
  readonly changed: boolean
  /** The entry that stands now. */
  readonly entry: LedgerEntry
  /** The entry that stood before, where there was one. */
  readonly before?: LedgerEntry
}

/**
 * The port behind which the entries are kept: at most one per {@link entryKey}, the one that no
 * other {@link supersedes}. It grows with signals, not with sessions.
 */
export interface Ledger {
  /**
   * Opens the store. Idempotent.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` or `ERR_STORAGE_VERSION`
   */
  open(): Promise<void>
  /**
   * All entries.
   *
   * @throws StorageError `ERR_STORAGE_VERSION` when one of them is from a newer release
   */
  readAll(): Promise<readonly LedgerEntry[]>
  /**
   * Merges an entry in, atomically, and resolves when the outcome is durable.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
   */
  write(entry: LedgerEntry): Promise<Written>
  /**
   * Removes the entries that are past their time.
   *
   * @param now NumericDate, seconds
   */
  purge(now: number): Promise<void>
  /**
   * Follows what other nodes write, until `close`. A ledger of one process has no such thing.
   * Resolves when the follower has every entry of the ledger.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, or `ERR_STORAGE_VERSION` for an entry of a
   *   newer release; once it has resolved it never gives up, and is silent while the store is away
   */
  follow?(follower: LedgerFollower): Promise<void>
  /** Makes what waits durable and closes the store. Idempotent; it can be opened again. */
  close(): Promise<void>
}

/** Hears on one node what becomes of a ledger that nodes share. No member throws. */
export interface LedgerFollower {
  /** Takes in entries of the ledger, in any order; to take one in twice does no harm. */
  put(entries: readonly LedgerEntry[]): void
  /** Up to now nothing is missing. Called every second or so while all is well, and after a `put`. */
  heard(): void
  /**
   * The ledger holds less than it did: it was emptied, or an old copy of it was restored.
   *
   * @returns All that this node knows, for the ledger to write again
   */
  lost(): readonly LedgerEntry[]
  /** The store may forget what it acknowledged, or nobody can tell; for people to read. */
  doubt(reason: LedgerDoubt): void
}

/**
 * Why a store may forget.
 *
 * - `evicts`: it removes entries when its memory is full;
 * - `not-persistent`: what it holds is gone when it restarts;
 * - `unknown`: it does not say.
 */
export type LedgerDoubt = 'evicts' | 'not-persistent' | 'unknown'

/** Judges a write, for every store alike. */
export function merge(before: LedgerEntry | undefined, entry: LedgerEntry): Written {
  if (!before) return { changed: true, entry }
  return supersedes(entry, before)
    ? { changed: true, entry, before }
    : { changed: false, entry: before, before }
}
