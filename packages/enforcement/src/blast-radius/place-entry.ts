import { entryKey, type LedgerEntry } from '../ledger/ledger-entry.ts'
import type { LedgerIndex } from '../ledger/ledger-index.ts'
import { supersedes } from '../ledger/supersedes.ts'
import type { Acts } from './acts.ts'
import type { Budgets } from './budgets.ts'

/** What placing looks at. */
export interface PlaceSettings {
  readonly acts: Acts
  readonly budgets: Budgets
  readonly longestSessionSeconds: number
  /** The entries; undefined while the ledger has not been read. */
  index(): LedgerIndex | undefined
}

/**
 * Tells in what form a Transmitter's entry goes into the ledger: as it is, only observed, or held.
 * What came before and comes again keeps the form that it had.
 *
 * @param overrun Gives the T of the overrun that an entry is held in; asked where one is
 */
export function placeEntry(
  entry: LedgerEntry,
  settings: PlaceSettings,
  overrun: () => number,
): LedgerEntry {
  const { acts, budgets, index } = settings
  const { iss } = entry.cause
  const read = (one: LedgerEntry): LedgerEntry | undefined => index()?.read(entryKey(one))
  const standing = read(entry)
  if (standing && !supersedes(entry, standing)) return inForm(entry, standing)
  if (acts.knows(iss)) {
    const observed = observedForm(entry, settings)
    const forms = [observed, { ...entry, held: 0 }]
    const earlier = forms.map(read).find((one) => one?.cause.jti === entry.cause.jti)
    if (earlier?.observed) return observed
    if (earlier) return inForm(entry, earlier)
    if (acts.isQuarantined(iss)) return observed
  }
  if (!budgets.isCounted(entry) || hasDoneSo(standing, settings)) return entry
  if (acts.overrun(iss) === undefined && !budgets.isAbove(entry)) return entry
  return { ...entry, held: overrun() }
}

const inForm = (entry: LedgerEntry, { held }: LedgerEntry): LedgerEntry =>
  held === undefined ? entry : { ...entry, held }

/** Kept no longer than a cut, for it takes nothing that somebody would have to give back. */
const observedForm = (
  { expires, ...entry }: LedgerEntry,
  { longestSessionSeconds }: PlaceSettings,
): LedgerEntry => ({
  ...entry,
  observed: true,
  expires: expires ?? Math.ceil(entry.recorded ?? entry.cause.iat) + longestSessionSeconds,
})

/** A condition that ends sessions already ends no more of them when it is said again. */
const hasDoneSo = (standing: LedgerEntry | undefined, { acts, budgets }: PlaceSettings): boolean =>
  standing?.reaches === 'all' &&
  standing.held === undefined &&
  budgets.isCounted(standing) &&
  acts.rulingOf(standing)?.takes !== 'nothing'
