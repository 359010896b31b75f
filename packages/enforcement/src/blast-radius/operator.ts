import { checkOptions } from '@drawbridge/core'
import type { Canonical } from '@drawbridge/schema'
import type { Tell } from '../enforcement-events.ts'
import type { DueHook } from '../hooks/hooks.ts'
import { isExpired, localIssuer, type LedgerEntry } from '../ledger/ledger-entry.ts'
import type { LedgerIndex } from '../ledger/ledger-index.ts'
import type { Acts } from './acts.ts'
import type { BlastRadius } from './blast-radius.ts'
import type { LimitSettings } from './limits.ts'
import { liftedBy, resultOf, takenSince, type UndoResult } from './undo.ts'

/** Who acts. */
export interface OperatorOptions {
  /** The operator's name, for those who read the record. Default: nobody is named. */
  readonly by?: string
}

/** The options of `quarantine`. */
export interface QuarantineOptions extends OperatorOptions {
  /** Why, for those who read the record. */
  readonly reason: string
}

/** The options of `undo`. */
export interface UndoOptions extends OperatorOptions {
  /** The Transmitter. */
  readonly iss: string
  /** From when on, by the time at which signals were recorded. */
  readonly since: Date
}

/** What an operator's answer to an overrun was about. */
export interface AnsweredOverrun {
  /** How many signals were held. */
  readonly signals: number
}

/** What an operator can do about one Transmitter. */
export interface Operator {
  /**
   * Lets everything that was held end sessions, and begins to count anew.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE`
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`
   */
  confirm(iss: string, options?: OperatorOptions): Promise<AnsweredOverrun>
  /**
   * Gives back everything that was held, and begins to count anew.
   *
   * @throws OptionsError and StorageError as {@link Operator.confirm}
   */
  release(iss: string, options?: OperatorOptions): Promise<AnsweredOverrun>
  /**
   * Stops a Transmitter's effects: from now on its signals are acknowledged and only observed. What
   * it took before stays, and none of it can be lifted by it either.
   *
   * @throws OptionsError and StorageError as {@link Operator.confirm}
   */
  quarantine(iss: string, options: QuarantineOptions): Promise<void>
  /**
   * Ends a quarantine. What came meanwhile stays without effect: ask the Transmitter what holds.
   *
   * @throws OptionsError and StorageError as {@link Operator.confirm}
   */
  endQuarantine(iss: string, options?: OperatorOptions): Promise<void>
  /**
   * Gives back what a Transmitter's signals took since a time: those recorded until now, and those
   * that were issued before and come late. Where the application has a hook `terminate`, what was
   * terminated stays, and is in the result.
   *
   * @throws OptionsError and StorageError as {@link Operator.confirm}
   */
  undo(options: UndoOptions): Promise<UndoResult>
}

/** What an operator's acts need. */
export interface OperatorSettings extends LimitSettings {
  readonly acts: Acts
  readonly blastRadius: BlastRadius
  readonly canonical: Canonical
  readonly tell: Tell
  /** Whether the application does something when sessions are terminated. */
  readonly carriesOut: boolean
  index(): LedgerIndex | undefined
  /** NumericDate, seconds. */
  now(): number
  /** Does some work between start and stop. */
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** What was held may end sessions now. */
  confirmed(entry: LedgerEntry): void
  /** What an entry took was given back. */
  restored(entry: LedgerEntry, what: Pick<DueHook, 'effect' | 'terms'>): void
}

/** Makes the operator's acts. */
export function createOperator(settings: OperatorSettings): Operator {
  const { acts, blastRadius, canonical, now, run, tell } = settings

  const entriesOf = (iss: string): readonly LedgerEntry[] =>
    (settings.index()?.all() ?? []).filter(
      (entry) => entry.cause.iss === iss && !entry.lifted && !isExpired(entry, now()),
    )

  const answer = async (
    name: 'confirm' | 'release',
    given: string,
    options: OperatorOptions,
  ): Promise<readonly LedgerEntry[]> => {
    const iss = transmitterOf(given, name, options, canonical)
    const held = entriesOf(iss).filter((entry) => isHeld(entry, acts))
    if (held.length === 0 && acts.overrun(iss) === undefined) return held
    await blastRadius.write({ name, iss }, options)
    const { by } = options
    const event = name === 'confirm' ? 'budget:confirmed' : 'budget:released'
    tell(event, { iss, signals: held.length, ...(by !== undefined && { by }) })
    return held
  }

  return {
    confirm: async (iss, options = {}) =>
      run(async () => {
        const held = await answer('confirm', iss, options)
        for (const entry of held) settings.confirmed(entry)
        return { signals: held.length }
      }),
    release: async (iss, options = {}) =>
      run(async () => {
        const held = await answer('release', iss, options)
        for (const entry of held) settings.restored(entry, { effect: 'suspend' })
        return { signals: held.length }
      }),
    quarantine: async (given, options) =>
      run(async () => {
        const iss = transmitterOf(given, 'quarantine', options, canonical)
        const { reason, by } = options
        await blastRadius.write({ name: 'quarantine', iss, reason }, options)
        tell('transmitter:quarantined', { iss, reason, ...(by !== undefined && { by }) })
      }),
    endQuarantine: async (given, options = {}) =>
      run(async () => {
        const iss = transmitterOf(given, 'endQuarantine', options, canonical)
        if (!acts.isQuarantined(iss)) return
        await blastRadius.write({ name: 'quarantine', iss }, { ...options, lifted: true })
        const { by } = options
        tell('transmitter:reinstated', { iss, ...(by !== undefined && { by }) })
      }),
    undo: async (options) =>
      run(async () => {
        const { iss: given, since, by } = options
        const iss = transmitterOf(given, 'undo', options, canonical)
        const from = since.getTime() / 1000
        const before = takenSince(from, entriesOf(iss), settings)
        const spares = settings.carriesOut && ({ spares: true } as const)
        await blastRadius.write({ name: 'undo', iss, from, until: now(), ...spares }, options)
        const lifted = before.flatMap((taking) => liftedBy(taking, acts) ?? [])
        const result = resultOf(before, lifted, acts)
        tell('effects:undone', {
          iss,
          since: since.getTime(),
          signals: result.signals,
          terminated: result.terminated.length,
          ...(by !== undefined && { by }),
        })
        for (const { entry, decided } of lifted) settings.restored(entry, decided)
        return result
      }),
  }
}

const optionsOf: Readonly<Record<string, readonly string[]>> = {
  quarantine: ['reason', 'by'],
  undo: ['iss', 'since', 'by'],
}

/** Checks what an operator gives, and reads the name of the Transmitter that counts. */
function transmitterOf(
  iss: string,
  act: string,
  options: Partial<QuarantineOptions & UndoOptions>,
  canonical: Canonical,
): string {
  const { check, known, done } = checkOptions(act)
  known(options ?? {}, optionsOf[act] ?? ['by'])
  const { by, reason, since } = options ?? {}
  check(typeof iss === 'string' && iss !== '', '"iss" must be the issuer of a Transmitter')
  check(iss !== localIssuer, `"iss" must not be "${localIssuer}": use "giveBack"`)
  check(by === undefined || typeof by === 'string', '"by" must be a text')
  if (act === 'quarantine') {
    check(typeof reason === 'string' && reason !== '', '"reason" must say why')
  }
  if (act === 'undo') {
    check(Number.isFinite(since?.getTime?.()), '"since" must be a valid Date')
  }
  done()
  return canonical.issuer(iss)
}

const isHeld = (entry: LedgerEntry, acts: Acts): boolean =>
  entry.held !== undefined && acts.rulingOf(entry)?.hardest === 'suspend'
