import { StorageError } from '@drawbridge/schema'
import { entryKey, isExpired, type LedgerEntry } from './ledger-entry.ts'
import { merge, type Ledger } from './ledger.ts'

/**
 * Makes a ledger that lasts as long as the object: for tests. A process that restarts has forgotten
 * every revocation it acknowledged, which is why it has to be written out.
 */
export function memoryLedger(): Ledger {
  const entries = new Map<string, LedgerEntry>()
  let isOpen = false
  const whenOpen = async <Result>(work: () => Result): Promise<Result> => {
    if (!isOpen) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the ledger is not open')
    return work()
  }
  return {
    open: async () => {
      isOpen = true
    },
    readAll: () => whenOpen(() => [...entries.values()]),
    write: (entry) =>
      whenOpen(() => {
        const key = entryKey(entry)
        const written = merge(entries.get(key), entry)
        entries.set(key, written.entry)
        return written
      }),
    purge: (now) =>
      whenOpen(() => {
        for (const [key, entry] of entries) if (isExpired(entry, now)) entries.delete(key)
      }),
    close: async () => {
      isOpen = false
    },
  }
}
