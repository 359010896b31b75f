import { backoffMs, type Clock } from '@drawbridge/core'
import { entryKey, localIssuer, type LedgerEntry } from './ledger-entry.ts'
import { createLedgerIndex, type LedgerIndex, type Widen } from './ledger-index.ts'
import { merge, type Ledger, type LedgerDoubt, type Written } from './ledger.ts'

/** What a replica tells. No member throws. */
export interface ReplicaReports {
  /** The guard answers by another entry under a key. */
  changed(entry: LedgerEntry): void
  /** An entry came from another node, and the guard answers by it. */
  followed(entry: LedgerEntry): void
  /** An entry that could not be written is durable now. */
  recovered(written: Written): void
  /** The ledger was not heard for too long; `heardAt` is in milliseconds. */
  stale(heardAt: number): void
  /** The ledger is heard again. */
  fresh(): void
  /** The ledger had lost entries; these are written again. */
  lost(entries: number): void
  doubted(reason: LedgerDoubt): void
}

/** What a replica needs. */
export interface ReplicaSettings {
  readonly ledger: Ledger
  readonly clock: Clock
  /** Between 0 and 1, as `Math.random`. */
  random(): number
  readonly maxStalenessMs: number
  /** See `createLedgerIndex`. */
  readonly widen: Widen
  readonly report: ReplicaReports
}

/** This node's copy of the ledger, from which every request is answered. */
export interface Replica {
  /** @throws StorageError as the ledger does */
  open(): Promise<void>
  close(): Promise<void>
  /** The entries; undefined while the ledger has not been read. */
  index(): LedgerIndex | undefined
  /** Whether the ledger, shared with other nodes, has not been heard for too long. */
  isStale(): boolean
  /**
   * Writes an entry. What takes counts on this node at once, also where the write fails: then it is
   * tried again until it succeeds, and this rejects. What gives back counts once it is durable; of
   * the application's own, the write is tried again as well.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
   */
  write(entry: LedgerEntry): Promise<Written>
}

const purgeEveryMs = 3_600_000
const rewriting = { firstMs: 250, longestMs: 5000 }

/** Makes the copy. */
export function createReplica(settings: ReplicaSettings): Replica {
  const { ledger, clock, report, maxStalenessMs } = settings
  /** What could not be written, the newest of each key. */
  const owed = new Map<string, LedgerEntry>()
  let index: LedgerIndex | undefined
  let closing = new AbortController()
  let heardAt = 0
  let purgedAt = 0
  let wasStale = false
  let repaying: Promise<void> | undefined

  const isStale = (): boolean =>
    ledger.follow !== undefined && clock.now() - heardAt > maxStalenessMs

  const put = (entry: LedgerEntry): void => {
    if (index?.put(entry)) report.changed(entry)
  }

  const purge = async (): Promise<void> => {
    purgedAt = clock.now()
    index?.purge(purgedAt / 1000)
    await ledger.purge(purgedAt / 1000)
  }

  const heard = (): void => {
    heardAt = clock.now()
    if (!wasStale) return
    wasStale = false
    report.fresh()
  }

  /** Tells of silence without being asked. Ends with `close`. */
  const listen = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      if (isStale() && !wasStale) {
        wasStale = true
        report.stale(heardAt)
      }
      const rest = heardAt + maxStalenessMs - clock.now()
      await clock.sleep(Math.max(rest + 1, maxStalenessMs / 4), signal)
    }
  }

  const follow = async (): Promise<void> => {
    const copy = createLedgerIndex(settings.widen)
    await ledger.follow?.({
      put: (entries) => {
        for (const entry of entries) {
          if (!copy.put(entry) || !index) continue
          report.changed(entry)
          report.followed(entry)
        }
      },
      heard,
      lost: () => {
        const known = copy.all()
        report.lost(known.length)
        return known
      },
      doubt: report.doubted,
    })
    heard()
    index = copy
    void listen(closing.signal)
  }

  const open = async (): Promise<void> => {
    closing = new AbortController()
    try {
      await ledger.open()
      await purge()
      if (ledger.follow) return await follow()
      index = createLedgerIndex(settings.widen, await ledger.readAll())
    } catch (error) {
      closing.abort()
      await ledger.close()
      throw error
    }
  }

  const close = async (): Promise<void> => {
    closing.abort()
    await repaying
    index = undefined
    owed.clear()
    await ledger.close()
  }

  /** Writes what is owed until nothing is, or until `close`. */
  const repay = async (signal: AbortSignal): Promise<void> => {
    for (let failures = 1; owed.size > 0 && !signal.aborted; failures++) {
      await clock.sleep(backoffMs(rewriting, failures, settings.random()), signal)
      for (const [key, entry] of owed) {
        if (signal.aborted) return
        const written = await ledger.write(entry).catch(() => undefined)
        if (!written) break
        if (owed.get(key) === entry) owed.delete(key)
        put(written.entry)
        report.recovered(written)
      }
    }
  }

  const owe = (entry: LedgerEntry): void => {
    const key = entryKey(entry)
    owed.set(key, merge(owed.get(key), entry).entry)
    repaying ??= repay(closing.signal).finally(() => {
      repaying = undefined
    })
  }

  return {
    open,
    close,
    index: () => index,
    isStale,
    write: async (entry) => {
      if (!entry.lifted) put(entry)
      let written: Written
      try {
        written = await ledger.write(entry)
      } catch (error) {
        // A Transmitter delivers a lift again; nobody does so for the application's own.
        if (!entry.lifted || entry.cause.iss === localIssuer) owe(entry)
        throw error
      }
      put(written.entry)
      // What cannot be purged is past its time all the same, and the entry is in the ledger.
      if (clock.now() - purgedAt > purgeEveryMs) await purge().catch(() => undefined)
      return written
    },
  }
}
