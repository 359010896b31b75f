import type { Effect } from '../effect.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { ActName } from './act.ts'

/** What the acts about its Transmitter leave of an entry. */
export interface Ruling {
  /**
   * - `all`: what it says, up to `hardest`;
   * - `terminate`: only where it ends a session, for that was carried out and cannot be undone;
   * - `nothing`.
   */
  readonly takes: 'all' | 'terminate' | 'nothing'
  /** The hardest effect. */
  readonly hardest: Effect
}

/** The acts that stand: what was decided about whole Transmitters. */
export interface Acts {
  /** Takes in the entry of an act; any order, and to take one in twice does no harm. */
  put(entry: LedgerEntry): void
  /** Whether anything was ever decided about a Transmitter. */
  knows(iss: string): boolean
  isQuarantined(iss: string): boolean
  /** T of the overrun that nobody has answered yet. */
  overrun(iss: string): number | undefined
  /** Whether an operator has answered an overrun, by its T. */
  isAnswered(iss: string, overrun: number): boolean
  /** The newest act about a Transmitter. */
  newest(iss: string): LedgerEntry | undefined
  /** What is left of an entry; undefined where nothing is decided about it: all of it. */
  rulingOf(entry: LedgerEntry): Ruling | undefined
  /** Forgets everything. */
  clear(): void
}

/** Answers to overruns and undoings, by T. */
type Listed = readonly LedgerEntry[]

interface About {
  readonly standing: Map<ActName, LedgerEntry>
  answers: Listed
  undoings: Listed
}

const nothing: Ruling = { takes: 'nothing', hardest: 'terminate' }
const onlyTerminated: Ruling = { takes: 'terminate', hardest: 'terminate' }
const held: Ruling = { takes: 'all', hardest: 'suspend' }

/** Makes the memory of acts, which the ledger fills. */
export function createActs(): Acts {
  const all = new Map<string, About>()

  const overrun = (iss: string): number | undefined => {
    const about = all.get(iss)
    const since = about?.standing.get('overrun')?.since
    return since === undefined || answerTo(since, about) ? undefined : since
  }

  return {
    put: (entry) => {
      if (!entry.act) return
      const { iss, name } = entry.act
      const about = all.get(iss) ?? { standing: new Map(), answers: [], undoings: [] }
      all.set(iss, about)
      if (name === 'undo') about.undoings = withAct(about.undoings, entry)
      else if (name === 'overrun' || name === 'quarantine') about.standing.set(name, entry)
      else about.answers = withAct(about.answers, entry)
    },
    knows: (iss) => all.has(iss),
    isQuarantined: (iss) => {
      const entry = all.get(iss)?.standing.get('quarantine')
      return entry !== undefined && !entry.lifted
    },
    overrun,
    newest: (iss) => {
      const { standing, answers = [], undoings = [] } = all.get(iss) ?? {}
      const entries = [...(standing?.values() ?? []), ...answers, ...undoings]
      return entries.toSorted((one, other) => one.since - other.since).at(-1)
    },
    isAnswered: (iss, since) => answerTo(since, all.get(iss)) !== undefined,
    rulingOf: (entry) => {
      const about = all.get(entry.cause.iss)
      if (entry.held === undefined && !about?.undoings.length) return undefined
      return ruling(entry, about)
    },
    clear: () => all.clear(),
  }
}

const withAct = (listed: Listed, entry: LedgerEntry): Listed =>
  [...listed.filter(({ since }) => since !== entry.since), entry].toSorted(
    (one, other) => one.since - other.since,
  )

/** The first answer to an overrun counts: one to a later overrun says nothing of this one. */
const answerTo = (overrun: number, about: About | undefined): LedgerEntry | undefined =>
  about?.answers.find(({ since }) => since >= overrun)

function ruling(entry: LedgerEntry, about: About | undefined): Ruling | undefined {
  const answer = entry.held === undefined ? undefined : answerTo(entry.held, about)
  if (answer?.act?.name === 'release') return nothing
  const undoings = about?.undoings.filter((undoing) => covers(undoing, entry)) ?? []
  if (undoings.some((undoing) => undoesAll(undoing, entry, answer))) return nothing
  if (undoings.length > 0) return onlyTerminated
  return entry.held === undefined || answer ? undefined : held
}

/** NumericDate, seconds: when it was taken in; of what an older release wrote, when it was said. */
export const recordedAt = ({ recorded, since, cause }: LedgerEntry): number =>
  recorded ?? Math.max(since, cause.iat)

/**
 * What was issued before the undoing and comes after it belongs to what was undone. In the same
 * second it may be new: then it counts.
 */
function covers({ act }: LedgerEntry, entry: LedgerEntry): boolean {
  const { from = Infinity, until = 0 } = act ?? {}
  const at = recordedAt(entry)
  return at >= from && (at <= until || entry.cause.iat < Math.floor(until))
}

/** What was terminated by then stays where it was carried out. */
function undoesAll(undoing: LedgerEntry, entry: LedgerEntry, answer?: LedgerEntry): boolean {
  const { spares, until = 0 } = undoing.act ?? {}
  if (!spares || recordedAt(entry) > until) return true
  return entry.held !== undefined && !(answer && answer.since <= undoing.since)
}
