import { isComplex, matches, subjectKey } from '@drawbridge/schema'
import { harder, type Effect } from './effect.ts'
import { isExpired, type LedgerEntry } from './ledger/ledger-entry.ts'
import type { Session } from './session.ts'

/** The state of one session. */
export interface Fold {
  /** The hardest effect in force; absent when nothing was taken. */
  readonly effect?: Effect
  /** The entries that take something. */
  readonly taken: readonly LedgerEntry[]
}

/**
 * Works out the state of a session from the entries of a ledger. Pure, and the same for any order
 * of the entries.
 *
 * @param now NumericDate, seconds
 */
export function fold(entries: readonly LedgerEntry[], session: Session, now: number): Fold {
  const taken = entries.filter((entry) => takes(entry, session, now))
  let effect: Effect | undefined
  for (const entry of taken) effect = harder(effect, entry.effect)
  return effect === undefined ? { taken } : { effect, taken }
}

function takes(entry: LedgerEntry, session: Session, now: number): boolean {
  return (
    !entry.lifted &&
    !isExpired(entry, now) &&
    hasMandate(entry, session) &&
    matches(entry.on, session.subject, 'session') &&
    reaches(entry, session)
  )
}

/** A Transmitter touches the sessions of those it logged in itself, and no others. */
const hasMandate = (entry: LedgerEntry, session: Session): boolean =>
  entry.cause.iss === session.issuer

function reaches(entry: LedgerEntry, session: Session): boolean {
  // Authenticating again is what gives it back, in the same session and under a condition as well.
  if (entry.effect === 'reauthenticate') return beganBefore(entry, session)
  return entry.reaches === 'all' || namesSession(entry, session) || beganBefore(entry, session)
}

/** Whole seconds are all that `auth_time` knows: the same second counts as before. */
const beganBefore = (entry: LedgerEntry, session: Session): boolean =>
  session.began <= Math.floor(entry.since)

/** The id says which session is meant: no clock needs to. */
function namesSession({ on }: LedgerEntry, { subject }: Session): boolean {
  const meant = isComplex(on) ? on.session : on
  const id = isComplex(subject) ? subject.session : undefined
  return meant !== undefined && id !== undefined && subjectKey(meant) === subjectKey(id)
}
