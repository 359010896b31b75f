import { indexTexts, type Subject } from '@drawbridge/schema'
import { namesIn, type Named } from '../delegation.ts'
import { entryKey, isExpired, issuerMeant, type LedgerEntry } from './ledger-entry.ts'
import { merge } from './ledger.ts'

/** The entries of a ledger in memory, found by what a session is called. */
export interface LedgerIndex {
  /**
   * Another object after every change, and in every index: while it is the same, so is what is
   * found.
   */
  readonly version: object
  /**
   * Merges an entry in, by the rule that the store follows.
   *
   * @returns Whether it changed something
   */
  put(entry: LedgerEntry): boolean
  /** All entries that can match a session or a delegator of it, and perhaps others. */
  find(session: Named): readonly LedgerEntry[]
  /** Every entry. */
  all(): readonly LedgerEntry[]
  /** The entry that stands under a key. */
  read(key: string): LedgerEntry | undefined
  /** The texts under which the entry of a key is filed: see `namesIn`. */
  places(key: string): Iterable<string>
  /**
   * Forgets the entries that are past their time.
   *
   * @param now NumericDate, seconds
   */
  purge(now: number): void
}

/** Gives another subject under which an entry is filed, where there is one. */
export type Widen = (entry: LedgerEntry) => Subject | undefined

/** An entry and the places where it is filed: a newer one of the same key is found in all of them. */
interface Filed {
  entry: LedgerEntry
  places: readonly string[]
}

const none: readonly LedgerEntry[] = []

/**
 * Makes the index of a ledger's entries.
 *
 * @param widen Default: entries are filed under what they name alone
 */
export function createLedgerIndex(
  widen: Widen = () => undefined,
  entries: readonly LedgerEntry[] = none,
): LedgerIndex {
  const byKey = new Map<string, Filed>()
  const files = new Map<string, Filed[]>()
  /** Sessions are not known by their issuer: what is said of one is looked at for each. */
  let issuerWide: readonly Filed[] = []
  let version = {}

  const put = (entry: LedgerEntry): boolean => {
    const key = entryKey(entry)
    const filed = byKey.get(key) ?? { entry, places: [] }
    if (byKey.has(key)) {
      const merged = merge(filed.entry, entry)
      if (!merged.changed) return false
      filed.entry = merged.entry
    } else {
      byKey.set(key, filed)
      if (issuerMeant(entry.on) !== undefined) issuerWide = [...issuerWide, filed]
    }
    const added = [...placesOf(entry, widen)].filter((place) => !filed.places.includes(place))
    for (const place of added) {
      const file = files.get(place)
      if (file) file.push(filed)
      else files.set(place, [filed])
    }
    // Of just the size it needs: to push would reserve room, and there are many entries.
    filed.places = filed.places.concat(added)
    version = {}
    return true
  }

  const remove = (key: string, filed: Filed): void => {
    byKey.delete(key)
    issuerWide = issuerWide.filter((one) => one !== filed)
    for (const place of filed.places) {
      const rest = files.get(place)?.filter((one) => one !== filed) ?? []
      if (rest.length === 0) files.delete(place)
      else files.set(place, rest)
    }
  }

  for (const entry of entries) put(entry)
  return {
    get version() {
      return version
    },
    put,
    find: (session) => {
      if (byKey.size === 0) return none
      let found = issuerWide.length > 0 ? issuerWide.map(({ entry }) => entry) : none
      for (const text of namesIn(session)) {
        const file = files.get(text)
        // Two members of a session can have one text: an entry is still one entry.
        if (file) found = [...new Set([...found, ...file.map(({ entry }) => entry)])]
      }
      return found
    },
    all: () => Array.from(byKey.values(), ({ entry }) => entry),
    read: (key) => byKey.get(key)?.entry,
    places: (key) => byKey.get(key)?.places ?? [],
    purge: (now) => {
      version = {}
      for (const [key, filed] of byKey) if (isExpired(filed.entry, now)) remove(key, filed)
    },
  }
}

/** Under each name of aliases, and of what the application calls it: a session is known by one. */
function placesOf(entry: LedgerEntry, widen: Widen): Set<string> {
  // An act is about no session.
  if (entry.act) return new Set()
  const wider = widen(entry)
  const subjects = [entry.on, ...(entry.also ?? []), ...(wider ? [wider] : [])]
  return new Set(subjects.flatMap(indexTexts))
}
