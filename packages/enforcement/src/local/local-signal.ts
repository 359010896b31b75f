import { checkOptions, type Clock } from '@drawbridge/core'
import { subjectOf, type Canonical, type EventType, type SubjectInput } from '@drawbridge/schema'
import { effectMistakes, type EffectWithTerms } from '../effect.ts'
import { boundaryCause, entryKey, localIssuer, type LedgerEntry } from '../ledger/ledger-entry.ts'

/** What the application itself found out: an operator, a change window, a data boundary. */
export interface LocalCause {
  /** Whom it is about: one session, a user, a device, a tenant. */
  readonly on: SubjectInput
  /** What kind of cause, in a word of the application's: `change-window`. */
  readonly cause: string
  /** Who decided it, for those who read the record: an operator's name. Default: nobody is named. */
  readonly by?: string
}

/** Tells other applications, as a Transmitter does. */
export interface Onward {
  readonly type: EventType
  readonly payload?: object
}

/** Transmits an event: what `transmitter.transmit` does. */
export type Transmit = (
  type: EventType,
  subject: SubjectInput,
  payload?: object,
) => Promise<unknown>

/** Something that the application takes. */
export type LocalSignal = LocalCause &
  EffectWithTerms & {
    /**
     * `all`: from now on, for everything that matches, until it is given back. `began-before`: only
     * what began until now. Default: `all`.
     */
    readonly reaches?: LedgerEntry['reaches']
    /** An event to transmit as well, so that others learn of it. Default: none. */
    readonly onward?: Onward
  }

/** Something that the application gives back. */
export type LocalLift = LocalCause & { readonly onward?: Onward }

/** What turns a local signal into an entry. */
export interface LocalSettings {
  readonly canonical: Canonical
  readonly longestSessionSeconds: number
  /** NumericDate in seconds, later than at the call before. */
  nextT(): number
  /** An identifier that is used once. */
  newId(): string
}

const takeMembers = ['on', 'cause', 'by', 'effect', 'terms', 'reaches', 'onward']

/**
 * Makes the entry of a local signal.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function entryOfSignal(signal: LocalSignal, settings: LocalSettings): LedgerEntry {
  const { check, known, done } = checkOptions('take')
  const { effect, terms, reaches = 'all' } = signal
  known(signal, takeMembers)
  checkCause(signal, check)
  for (const mistake of effectMistakes(signal)) check(false, mistake)
  check(reaches === 'all' || reaches === 'began-before', '"reaches" must be all or began-before')
  done()
  const entry = { ...bareEntry(signal, settings), effect, reaches, ...(terms && { terms }) }
  if (reaches === 'all') return entry
  return { ...entry, expires: Math.ceil(entry.since) + settings.longestSessionSeconds }
}

/**
 * Makes the entry that lifts what a local signal took.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function entryOfLift(lift: LocalLift, settings: LocalSettings): LedgerEntry {
  const { check, known, done } = checkOptions('giveBack')
  known(lift, ['on', 'cause', 'by', 'onward'])
  checkCause(lift, check)
  done()
  return { ...bareEntry(lift, settings), lifted: true }
}

function checkCause(
  { cause, on, by }: LocalCause,
  check: (holds: boolean, text: string) => void,
): void {
  check(typeof cause === 'string' && cause !== '', '"cause" must be a word for the cause')
  check(by === undefined || typeof by === 'string', '"by" must be a text')
  // It would say that others are meant, and take nothing from those who are.
  check(cause !== boundaryCause, `"cause" must be another word than ${boundaryCause}`)
  try {
    subjectOf(on, 'on')
  } catch (error) {
    check(false, (error as Error).message)
  }
}

/** The key under which the entries of a local cause stand; to ask for it makes none. */
export function localKey(
  { on, cause }: LocalCause,
  { canonical }: Pick<LocalSettings, 'canonical'>,
): string {
  const named = {
    on: canonical.subject(subjectOf(on, 'on')),
    cause: { iss: localIssuer, name: cause },
  }
  return entryKey(named as LedgerEntry)
}

/** The clock of the node that wrote what stands may be ahead: it is answered all the same. */
export function laterThan(standing: LedgerEntry | undefined, entry: LedgerEntry): LedgerEntry {
  if (!standing || entry.since > standing.since) return entry
  return { ...entry, since: (Math.floor(standing.since * 1000) + 1) / 1000 }
}

function bareEntry({ on, cause, by }: LocalCause, settings: LocalSettings): LedgerEntry {
  const since = settings.nextT()
  return {
    on: settings.canonical.subject(subjectOf(on, 'on')),
    effect: 'suspend',
    since,
    reaches: 'all',
    cause: {
      iss: localIssuer,
      name: cause,
      type: localIssuer,
      jti: settings.newId(),
      iat: Math.floor(since),
      ...(by !== undefined && { by }),
    },
  }
}

/** Makes the settings of one node's local signals: no two of them share a T. */
export function createLocalSettings(settings: {
  readonly canonical: Canonical
  readonly longestSessionSeconds: number
  readonly clock: Clock
}): LocalSettings {
  let lastMs = 0
  return {
    ...settings,
    nextT: () => {
      lastMs = Math.max(settings.clock.now(), lastMs + 1)
      return lastMs / 1000
    },
    newId: () => crypto.randomUUID(),
  }
}

/** Lets others know, where the application has asked for it. */
export async function transmitOnward(
  { on }: LedgerEntry,
  { onward }: { readonly onward?: Onward },
  { transmit }: { readonly transmit?: Transmit },
): Promise<void> {
  if (onward) await transmit?.(onward.type, on, onward.payload)
}
