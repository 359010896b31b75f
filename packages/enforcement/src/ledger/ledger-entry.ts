import {
  complex,
  isComplex,
  principalKey,
  StorageError,
  subjectMembers,
  uri,
  type Subject,
  type SubjectIdentifier,
  type UriSubject,
} from '@drawbridge/schema'
import { actKey, isAct, type Act } from '../blast-radius/act.ts'
import { isEffect, termMistakes, type Effect, type Terms } from '../effect.ts'
import { sessionKinds, type SessionKind } from '../who.ts'

/** The signal behind an entry. Its texts are the peer's: data, never to be shown unescaped. */
export interface Cause {
  /** The Transmitter that said so, or {@link localIssuer}. */
  readonly iss: string
  /** What kind of cause, as the table of meanings names it: `device-compliance`. */
  readonly name: string
  /** The event type URI. */
  readonly type: string
  readonly jti: string
  readonly txn?: string
  /** NumericDate, seconds: when the SET was issued. */
  readonly iat: number
  /** Who decided it, where the application said so. */
  readonly by?: string
}

/** Stands for the application itself where a cause has the Transmitter. No SET can bear it. */
export const localIssuer = 'local'

/** The cause of an entry that takes nothing: the identifier names somebody else from T on. */
export const boundaryCause = 'identifier-recycled'

/** What happens to some of the sessions instead of what happens to the others. */
export interface Instead {
  /** To sessions of this kind. Default: of any. */
  readonly kind?: SessionKind
  /** To sessions of this tenant. Default: of any. */
  readonly tenant?: SubjectIdentifier
  /** Null: nothing. */
  readonly effect: Effect | null
  readonly terms?: Terms
}

/**
 * What one signal decided. The ledger is a list of these and nothing else: the state of a session
 * is never stored, it is `fold(entries, session, now)`.
 */
export interface LedgerEntry {
  /** Whom it is about, as the event says. */
  readonly on: Subject
  /** Other names that the application has for the same, as its `resolve` gave them. */
  readonly also?: readonly Subject[]
  readonly effect: Effect
  readonly terms?: Terms
  /** The first that fits a session counts; where none does, `effect` counts. */
  readonly instead?: readonly Instead[]
  /** T, NumericDate in seconds, fractional where the event is: when it happened. */
  readonly since: number
  /**
   * Which sessions: those that began at or before T (a cut), or all that match, whenever they begin
   * (a condition).
   */
  readonly reaches: 'began-before' | 'all'
  readonly cause: Cause
  /**
   * The condition no longer holds. The entry stays, so that a late or replayed signal from before
   * changes nothing.
   */
  readonly lifted?: true
  /**
   * NumericDate, whole seconds: after it no session is left that a cut could touch. A condition and
   * its lift have none.
   */
  readonly expires?: number
  /**
   * NumericDate, seconds: when a node took it in, by its own clock. Absent where it gives back, and
   * where it is the application's own.
   */
  readonly recorded?: number
  /**
   * It came above its Transmitter's budget, in the overrun with this T: no more than a suspension,
   * until an operator confirms or releases.
   */
  readonly held?: number
  /** It came while its Transmitter was in quarantine: it takes nothing, and gives nothing back. */
  readonly observed?: true
  /** What was decided about a Transmitter as a whole. Such an entry takes nothing itself. */
  readonly act?: Act
}

/**
 * Entries with the same key speak about the same thing, and only the newest counts: same
 * Transmitter, same subject, same cause. Of a cut, which no counter-signal lifts, the effect counts
 * as well: a milder one that comes later gives back nothing that a harder one has ended. A cut that
 * is held gives back nothing that another one has ended, and what is only observed nothing at all:
 * they stand for themselves.
 */
export function entryKey(entry: LedgerEntry): string {
  const { cause, on, effect, reaches, held, observed, act, since } = entry
  const { iss, name } = cause
  if (act) return JSON.stringify([iss, actKey(act, since)])
  const isCut = reaches === 'began-before' && iss !== localIssuer
  const parts = [iss, name, principalKey(on), ...(isCut ? [effect] : [])]
  if (isCut && held !== undefined) parts.push('held')
  if (observed) parts.push('observed')
  return JSON.stringify(parts)
}

/**
 * The subject of what the application says about all sessions of one login issuer: that it cannot
 * be trusted at the moment, or is silent. No Transmitter can speak of it.
 */
export const issuerWide = (iss: string): Subject => complex({ issuer: uri(iss) })

/** The login issuer whose sessions are meant, where a subject is {@link issuerWide}. */
export function issuerMeant(on: Subject): string | undefined {
  if (!isComplex(on)) return undefined
  const { issuer, ...others } = Object.fromEntries(subjectMembers(on)) as {
    readonly issuer?: UriSubject
  }
  return Object.keys(others).length === 0 ? issuer?.uri : undefined
}

/** Tells whether an entry is past its time. */
export const isExpired = ({ expires }: LedgerEntry, now: number): boolean =>
  expires !== undefined && expires <= now

/**
 * Reads an entry that a store kept as JSON text. One that this release cannot carry out is an
 * error: to skip it would be to allow.
 *
 * @throws StorageError `ERR_STORAGE_VERSION` for an effect or reach of a newer release,
 *   `ERR_STORAGE_UNAVAILABLE` for what is no entry
 */
export function readEntry(text: string): LedgerEntry {
  const entry = parse(text)
  if (!entry?.on || !entry.cause || typeof entry.since !== 'number') {
    throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the ledger holds an entry that is damaged')
  }
  if (!isOfThisRelease(entry)) {
    throw new StorageError(
      'ERR_STORAGE_VERSION',
      'the ledger holds an entry with an effect or a member that this release does not know: use the release that wrote it, or a newer one',
    )
  }
  return entry
}

const members: readonly string[] = [
  'on',
  'also',
  'effect',
  'terms',
  'instead',
  'since',
  'reaches',
  'cause',
  'lifted',
  'expires',
  'recorded',
  'held',
  'observed',
  'act',
]

/** A member that nobody looks at could be the one that takes. */
function isOfThisRelease(entry: LedgerEntry): boolean {
  const { effect, terms, reaches, instead = [], act } = entry
  return (
    Object.keys(entry).every((name) => members.includes(name)) &&
    (reaches === 'all' || reaches === 'began-before') &&
    isCarriedOut(effect, terms) &&
    instead.every(isKnownInstead) &&
    (act === undefined || isAct(act))
  )
}

const isCarriedOut = (effect: unknown, terms: unknown): boolean =>
  isEffect(effect) && termMistakes(effect, terms, 'terms').length === 0

function isKnownInstead({ kind, tenant, effect, terms, ...unknown }: Instead): boolean {
  return (
    Object.keys(unknown).length === 0 &&
    (kind === undefined || sessionKinds.includes(kind)) &&
    (tenant === undefined || typeof tenant === 'object') &&
    (effect === null || isCarriedOut(effect, terms))
  )
}

function parse(text: string): LedgerEntry | undefined {
  try {
    return (JSON.parse(text) as LedgerEntry | null) ?? undefined
  } catch {
    return undefined
  }
}
