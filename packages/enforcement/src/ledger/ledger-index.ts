import { indexTexts, lookupTexts, type SubjectInput } from '@drawbridge/schema'
import { entryKey, isExpired, type LedgerEntry } from './ledger-entry.ts'
import { merge } from './ledger.ts'

/** The entries of a ledger in memory, found by what a session is called. */
export interface LedgerIndex {
  /** Merges an entry in, by the rule that the store follows. */
  put(entry: LedgerEntry): void
  /** All entries that can match a session, and perhaps others. */
  find(session: SubjectInput): readonly LedgerEntry[]
  /**
   * Forgets the entries that are past their time.
   *
   * @param now NumericDate, seconds
   */
  purge(now: number): void
}

const none: readonly LedgerEntry[] = []

/** Makes the index of a ledger's entries. */
export function createLedgerIndex(entries: readonly LedgerEntry[] = none): LedgerIndex {
  const files = new Map<string, Map<string, LedgerEntry>>()

  const put = (entry: LedgerEntry): void => {
    const key = entryKey(entry)
    // Under each name of aliases: a session is known by one of them.
    for (const place of indexTexts(entry.on)) {
      const file = files.get(place) ?? new Map<string, LedgerEntry>()
      const merged = merge(file.get(key), entry)
      if (!merged.changed) continue
      file.set(key, merged.entry)
      files.set(place, file)
    }
  }

  for (const entry of entries) put(entry)
  return {
    put,
    find: (session) => {
      let found = none
      for (const text of lookupTexts(session)) {
        const file = files.get(text)
        // Two members of a session can have one text: an entry is still one entry.
        if (file) found = [...new Set([...found, ...file.values()])]
      }
      return found
    },
    purge: (now) => {
      for (const [place, file] of files) {
        for (const [key, entry] of file) if (isExpired(entry, now)) file.delete(key)
        if (file.size === 0) files.delete(place)
      }
    },
  }
}
