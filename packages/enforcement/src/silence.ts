import type { Clock, OptionChecks } from '@drawbridge/core'
import type { Mandates } from './authority/mandate.ts'
import { effectMistakes, type EffectWithTerms } from './effect.ts'
import { issuerWide, type LedgerEntry } from './ledger/ledger-entry.ts'
import {
  entryOfLift,
  entryOfSignal,
  localKey,
  type LocalCause,
  type LocalSettings,
} from './local/local-signal.ts'

/** When a Transmitter counts as silent, and what follows. */
export interface SilenceRule {
  /**
   * How long nothing may be heard of it, in milliseconds: several times the interval of its
   * verification events.
   */
  readonly afterMs: number
  /**
   * What is taken, while it lasts, from the sessions of the login issuers in its mandate. Default:
   * nothing; an outage at the peer is told of, and does not become one here.
   */
  readonly takes?: EffectWithTerms
}

/** The rules by the `iss` of a Transmitter's SETs. */
export type SilenceRules = Readonly<Record<string, SilenceRule>>

/** What watching for silence needs. No member throws. */
export interface SilenceSettings {
  readonly silence: SilenceRules
  readonly clock: Clock
  /** Whether a Transmitter counted as silent when this process ended, or does so on another node. */
  isSilent(iss: string): boolean
  /** A Transmitter was not heard of since `heardAt`, milliseconds since 1970. */
  fellSilent(iss: string, heardAt: number): void
  /** It is heard again. */
  returned(iss: string, heardAt: number): void
}

/** Notices which Transmitters are silent. */
export interface Silences {
  /** Begins to wait for every Transmitter that has a rule. */
  start(): void
  /** Something was heard of a Transmitter. */
  heard(iss: string): void
  stop(): void
}

/** Makes the watch for silence. */
export function createSilences(settings: SilenceSettings): Silences {
  const { silence, clock } = settings
  const heardAt = new Map<string, number>()
  const silent = new Set<string>()
  let stopping = new AbortController()

  const watch = async (iss: string, afterMs: number, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const last = heardAt.get(iss) ?? clock.now()
      const rest = last + afterMs - clock.now()
      if (rest < 0 && !silent.has(iss)) {
        silent.add(iss)
        settings.fellSilent(iss, last)
      }
      await clock.sleep(rest < 0 ? afterMs : rest + 1, signal)
    }
  }

  return {
    start: () => {
      stopping = new AbortController()
      for (const [iss, { afterMs }] of Object.entries(silence)) {
        heardAt.set(iss, clock.now())
        void watch(iss, afterMs, stopping.signal)
      }
    },
    heard: (iss) => {
      const last = heardAt.get(iss)
      if (last === undefined) return
      heardAt.set(iss, clock.now())
      const wasSilent = silent.delete(iss) || settings.isSilent(iss)
      if (wasSilent) settings.returned(iss, last)
    },
    stop: () => {
      stopping.abort()
      heardAt.clear()
      silent.clear()
    },
  }
}

/** Notes every mistake in the rules. */
export function checkSilence(rules: SilenceRules, { check }: OptionChecks): void {
  for (const [iss, { afterMs, takes, ...unknown }] of Object.entries(rules)) {
    const name = `silence[${JSON.stringify(iss)}]`
    for (const member of Object.keys(unknown)) check(false, `"${name}.${member}" is not an option`)
    check(
      typeof afterMs === 'number' && Number.isFinite(afterMs) && afterMs >= 1,
      `"${name}.afterMs" must be 1 or more`,
    )
    if (takes === undefined) continue
    for (const mistake of effectMistakes(takes, `${name}.takes.`)) check(false, mistake)
  }
}

/** What silence is judged by. */
interface SilenceOptions {
  readonly silence: SilenceRules
  readonly mandates: Mandates
}

/** What is taken while a Transmitter is silent. */
export function silenceEntries(
  iss: string,
  options: SilenceOptions,
  local: LocalSettings,
): readonly LedgerEntry[] {
  const takes = options.silence[iss]?.takes
  if (!takes) return []
  return causesOf(iss, options).map((cause) => entryOfSignal({ ...cause, ...takes }, local))
}

/** The keys under which {@link silenceEntries} stand. */
export const silenceKeys = (
  iss: string,
  options: SilenceOptions,
  local: Pick<LocalSettings, 'canonical'>,
): readonly string[] => causesOf(iss, options).map((cause) => localKey(cause, local))

/** Gives back what {@link silenceEntries} takes. */
export function silenceLifts(
  iss: string,
  options: SilenceOptions,
  local: LocalSettings,
): readonly LedgerEntry[] {
  if (!options.silence[iss]?.takes) return []
  return causesOf(iss, options).map((cause) => entryOfLift(cause, local))
}

/** One for each login issuer whose sessions are under the mandate. */
const causesOf = (iss: string, { mandates }: SilenceOptions): readonly LocalCause[] =>
  (mandates[iss]?.issuers ?? [iss]).map((issuer) => ({
    on: issuerWide(issuer),
    cause: `silence:${iss}`,
  }))
