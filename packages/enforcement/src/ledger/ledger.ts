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
  /** Makes what waits durable and closes the store. Idempotent; it can be opened again. */
  close(): Promise<void>
}

/** Judges a write, for every store alike. */
export function merge(before: LedgerEntry | undefined, entry: LedgerEntry): Written {
  if (!before) return { changed: true, entry }
  return supersedes(entry, before)
    ? { changed: true, entry, before }
    : { changed: false, entry: before, before }
}
