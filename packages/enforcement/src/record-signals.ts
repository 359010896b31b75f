import { OptionsError, type Clock } from '@drawbridge/core'
import { subjectOf, type Canonical, type SecurityEvent, type Subject } from '@drawbridge/schema'
import type { Authority } from './authority/authority.ts'
import type { BlastRadius } from './blast-radius/blast-radius.ts'
import { limitsOf } from './blast-radius/limits.ts'
import type { DwellTime, Tell } from './enforcement-events.ts'
import type { FoldRules } from './fold.ts'
import { localIssuer, type Cause, type LedgerEntry } from './ledger/ledger-entry.ts'
import type { Replica } from './ledger/replica.ts'
import type { Written } from './ledger/ledger.ts'
import type { EnforcementSettings } from './options.ts'
import { entriesOf } from './policy/entries-of.ts'

/** What recording needs. */
export interface RecordSettings extends EnforcementSettings {
  readonly canonical: Canonical
  readonly authority: Authority
  readonly rules: FoldRules
  readonly blastRadius: BlastRadius
  readonly replica: Replica
  readonly tell: Tell
  /** Told of each entry that is durable. */
  written(written: Written): void
}

/** When a signal came, in milliseconds since 1970. */
export interface Receipt {
  readonly receivedMs: number
}

/** Turns what signals decide into entries of the ledger. */
export interface RecordSignals {
  /** What a signal decides; none where its Transmitter may not say it. */
  judge(event: SecurityEvent): Promise<readonly LedgerEntry[]>
  /** Records a signal. */
  record(event: SecurityEvent, receipt: Receipt): Promise<void>
  /** Records one entry. */
  write(entry: LedgerEntry, receipt: Receipt): Promise<void>
}

type Unresolved = (entry: LedgerEntry) => void

/** Makes the way of a signal into the ledger: mandate, policy, identity, ledger. */
export function createRecordSignals(settings: RecordSettings): RecordSignals {
  const { authority, blastRadius, canonical, clock, replica, rules, tell, resolve } = settings

  const write = async (entry: LedgerEntry, receipt: Receipt): Promise<void> => {
    const written = await replica.write(entry)
    tell('signal:applied', {
      cause: entry.cause,
      subject: entry.on,
      effect: entry.effect,
      lifted: entry.lifted === true,
      changed: written.changed,
      observed: limitsOf(entry, settings).isObserved,
      held: rules.rulingOf?.(entry)?.hardest === 'suspend',
      dwell: dwellTime(entry, receipt, clock),
    })
    settings.written(written)
  }

  const resolved = async (entry: LedgerEntry, unresolved: Unresolved): Promise<LedgerEntry> => {
    if (!resolve || entry.lifted) return entry
    const { on, cause } = entry
    const names = await resolve(on, cause.iss)
    if (!names) {
      unresolved(entry)
      return entry
    }
    const also = names.map((name): Subject => canonical.subject(subjectOf(name, 'resolve')))
    return also.length === 0 ? entry : { ...entry, also }
  }

  const judge = async (
    event: SecurityEvent,
    unresolved: Unresolved = () => undefined,
  ): Promise<readonly LedgerEntry[]> => {
    refuseLocal(canonical.issuer(event.iss))
    const received = clock.now() / 1000
    const entries = entriesOf(event, { received, ...settings })
    const allowed = entries.filter(({ on, cause }) => !authority.outside(cause.iss, on))
    return Promise.all(allowed.map((entry) => resolved(entry, unresolved)))
  }

  /** One after the other without a pause between form and write, so that none is overlooked. */
  const admit = async (entry: LedgerEntry, receipt: Receipt): Promise<void> => {
    const admitted = blastRadius.admit(entry)
    await Promise.all([write(admitted.entry, receipt), admitted.overrun])
  }

  return {
    judge: async (event) => (await judge(event)).map(blastRadius.preview),
    write,
    record: async (event, receipt) => {
      const entries = await judge(event, ({ cause, on: subject }) => {
        tell('signal:unresolved', { cause, subject })
      })
      if (entries.length === 0) tellWhyNot(event, settings)
      // Together, so that the entries of one signal share a commit.
      await Promise.all(entries.map((entry) => admit(entry, receipt)))
    },
  }
}

/** No SET can bear the name that stands for the application: it would pass for its own decision. */
function refuseLocal(iss: string): void {
  if (iss === localIssuer) {
    throw new OptionsError('apply', [`"iss" must not be "${localIssuer}": use "take"`])
  }
}

function tellWhyNot(event: SecurityEvent, settings: RecordSettings): void {
  const { type, iss, jti, subject } = event
  const { authority, canonical, tell } = settings
  const reason = authority.outside(canonical.issuer(iss), canonical.subject(subject))
  const received = settings.clock.now() / 1000
  const isIgnored = entriesOf(event, { received, ...settings }).length === 0
  if (isIgnored || !reason) tell('signal:ignored', { type, iss, jti })
  else tell('signal:outside-mandate', { type, iss, jti, subject, reason })
}

/** How long it took until now. */
function dwellTime(entry: LedgerEntry, { receivedMs }: Receipt, clock: Clock): DwellTime {
  const dwell = followedDwell(entry.cause, entry.since, clock)
  return { sinceReceivedMs: clock.now() - receivedMs, ...dwell }
}

/** {@link dwellTime} on a node that did not receive the signal itself. */
export function followedDwell(
  { iat }: Cause,
  since: number,
  clock: Clock,
): Omit<DwellTime, 'sinceReceivedMs'> {
  const nowMs = clock.now()
  return { sinceEventMs: nowMs - since * 1000, sinceIssuedMs: nowMs - iat * 1000 }
}
