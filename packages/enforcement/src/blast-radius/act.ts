/**
 * What was decided about a Transmitter's signals as a whole.
 *
 * - `overrun`: it went above its budget;
 * - `confirm`, `release`: an operator's answer to an overrun;
 * - `quarantine`: its signals take nothing from now on;
 * - `undo`: what it took since a time is given back.
 */
export type ActName = 'overrun' | 'confirm' | 'release' | 'quarantine' | 'undo'

/** An operator's act, or the overrun of a budget, as the ledger remembers it. */
export interface Act {
  readonly name: ActName
  /** The Transmitter whose signals it is about, by the name that counts. */
  readonly iss: string
  /** Of `undo`: NumericDate in seconds, from when on. */
  readonly from?: number
  /** Of `undo`: NumericDate in seconds, until when, by the clock of the node that did it. */
  readonly until?: number
  /** Of `undo`: what was terminated stays, for the application has carried it out. */
  readonly spares?: true
  /** Of `quarantine`: why, in the operator's words. */
  readonly reason?: string
}

/** Those that happen once stand for themselves: they have the T in their key. */
const acts: Readonly<Record<ActName, { readonly isOnce: boolean }>> = {
  overrun: { isOnce: false },
  confirm: { isOnce: true },
  release: { isOnce: true },
  quarantine: { isOnce: false },
  undo: { isOnce: true },
}

const members: readonly string[] = ['name', 'iss', 'from', 'until', 'spares', 'reason']

/** Tells whether a value is an act that this release knows, with all of its members. */
export function isAct(value: unknown): value is Act {
  if (typeof value !== 'object' || value === null) return false
  const { name, iss, from, until } = value as Partial<Act>
  return (
    Object.keys(value).every((member) => members.includes(member)) &&
    typeof name === 'string' &&
    Object.hasOwn(acts, name) &&
    typeof iss === 'string' &&
    (name !== 'undo' || (typeof from === 'number' && typeof until === 'number'))
  )
}

/**
 * What tells one act from another. An overrun or a quarantine takes the place of an earlier one;
 * each answer and each undoing is remembered for itself.
 *
 * @param since T of the act, NumericDate in seconds
 */
export const actKey = ({ name, iss }: Act, since: number): readonly unknown[] =>
  acts[name].isOnce ? [name, iss, since] : [name, iss]
