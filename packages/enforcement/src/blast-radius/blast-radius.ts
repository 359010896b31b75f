import type { Authority } from '../authority/authority.ts'
import type { Mandates } from '../authority/mandate.ts'
import type { Tell } from '../enforcement-events.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Replica } from '../ledger/replica.ts'
import { laterThan, type LocalSettings } from '../local/local-signal.ts'
import type { Act } from './act.ts'
import { actEntry } from './act-entry.ts'
import type { Acts } from './acts.ts'
import type { Budget } from './budget.ts'
import { createBudgets } from './budgets.ts'
import { placeEntry } from './place-entry.ts'

/** What bounding the damage needs. */
export interface BlastRadiusSettings {
  readonly acts: Acts
  readonly authority: Authority
  readonly mandates: Mandates
  readonly local: LocalSettings
  readonly replica: Pick<Replica, 'write' | 'index'>
  readonly tell: Tell
  readonly longestSessionSeconds: number
  /** NumericDate, seconds. */
  now(): number
}

/** An entry in the form in which it goes into the ledger. */
export interface Admitted {
  readonly entry: LedgerEntry
  /** Where the entry begins an overrun: resolves when that is durable. */
  readonly overrun?: Promise<void>
}

/** Bounds what one Transmitter can do: budgets and quarantine. */
export interface BlastRadius {
  /** Gives an entry its form. To be written in the same turn, so that the next one is counted. */
  admit(entry: LedgerEntry): Admitted
  /** {@link BlastRadius.admit} for a dry run. */
  preview(entry: LedgerEntry): LedgerEntry
  /** Another entry stands in the ledger. */
  changed(entry: LedgerEntry): void
  /** The ledger was opened with these entries. */
  opened(entries: readonly LedgerEntry[]): void
  /** The ledger was closed. */
  closed(): void
  /**
   * Remembers an act, later than everything that was decided about the Transmitter before.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: it counts on this node, and is written as soon
   *   as the ledger can be
   */
  write(act: Act, more?: ActMore): Promise<void>
}

/** What else an act is written with. */
export interface ActMore {
  readonly by?: string | undefined
  /** It is over. */
  readonly lifted?: true
}

/** Makes the bounds. */
export function createBlastRadius(settings: BlastRadiusSettings): BlastRadius {
  const { acts, authority, local, mandates, now, replica, tell } = settings
  const budgetOf = (iss: string): Budget | undefined =>
    Object.hasOwn(mandates, iss) ? mandates[iss]?.budget : undefined
  const budgets = createBudgets({ authority, now, budgetOf })
  const placing = { ...settings, budgets, index: replica.index }

  const write = (act: Act, { by, lifted }: ActMore = {}): ReturnType<Replica['write']> => {
    const origin = { since: local.nextT(), id: local.newId(), ...(by !== undefined && { by }) }
    const entry = { ...actEntry(act, origin), ...(lifted && { lifted }) }
    return replica.write(laterThan(acts.newest(act.iss), entry))
  }

  const beginOverrun = async (iss: string): Promise<void> => {
    const { principals = 0, perSeconds = 0 } = budgetOf(iss) ?? {}
    const alarm = (): void =>
      tell('budget:exceeded', { iss, principals, windowSeconds: perSeconds })
    try {
      const { before } = await write({ name: 'overrun', iss })
      // Where another node has begun it in the same moment, that one has told of it.
      if (!before || acts.isAnswered(iss, before.since)) alarm()
    } catch (error) {
      alarm()
      throw error
    }
  }

  return {
    admit: (entry) => {
      const { iss } = entry.cause
      let overrun: Promise<void> | undefined
      const placed = placeEntry(entry, placing, () => {
        // It counts in this very turn: whoever comes next finds it.
        if (acts.overrun(iss) === undefined) overrun = beginOverrun(iss)
        return acts.overrun(iss) ?? now()
      })
      return { entry: placed, ...(overrun && { overrun }) }
    },
    preview: (entry) => placeEntry(entry, placing, () => acts.overrun(entry.cause.iss) ?? now()),
    changed: (entry) => {
      acts.put(entry)
      budgets.saw(entry)
    },
    opened: (entries) => {
      for (const entry of entries) acts.put(entry)
      const inOrder = entries.filter(budgets.isCounted).toSorted(byRecorded)
      for (const entry of inOrder) budgets.saw(entry)
    },
    closed: () => {
      acts.clear()
      budgets.clear()
    },
    write: async (act, more) => void (await write(act, more)),
  }
}

const byRecorded = (one: LedgerEntry, other: LedgerEntry): number =>
  (one.recorded ?? one.cause.iat) - (other.recorded ?? other.cause.iat)
