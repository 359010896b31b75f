import type { OptionChecks } from '@drawbridge/core'

/** What happens to a stream whose Receiver gives no sign of life. */
export interface InactivityOptions {
  /**
   * After how many seconds. Receivers read it as `inactivity_timeout`. The count begins anew with
   * every management request about the stream, and with every poll of it; taking a push is no sign
   * of life. It must be longer than a poll may be held.
   *
   * @see OpenID SSF 1.0, "Stream Configuration" (`inactivity_timeout`)
   */
  readonly timeoutSeconds: number
  /**
   * `pause` keeps what waits and what comes, within `retention`; `disable` drops it; `delete` drops
   * the stream too, and its Receiver is not told. Only `enabled` streams are paused, and only those
   * that are not `disabled` yet are disabled.
   */
  readonly action: 'pause' | 'disable' | 'delete'
}

/** When the Transmitter verifies streams by itself. */
export interface VerificationOptions {
  /** Whether a Verification Event is the first on every new stream. Default: false. */
  readonly onCreate?: boolean
  /**
   * How often each enabled stream is verified, in seconds, so that its Receiver notices when
   * nothing arrives any more. Streams have their turns at different times, and keep them over
   * restarts. One on which something has waited for half as long has no turn. Default: never.
   */
  readonly everySeconds?: number
}

/**
 * How long and how much is kept. The defaults are for a Receiver that is down over a holiday, and
 * for a disk that must not fill up.
 */
export interface RetentionOptions {
  /**
   * The most events that wait on one stream; of more, the oldest are dropped. Default: 1,000,000,
   * about half a gigabyte.
   */
  readonly maxRows?: number
  /**
   * How long an event waits at most, in seconds. Default: 1,209,600, two weeks: a signal that is
   * older says little about who is there now.
   */
  readonly maxAgeSeconds?: number
  /**
   * How long what was delivered is kept for a replay, in seconds; `maxAgeSeconds` at most, for what
   * is replayed is as old as it is. Default: 0, since it says who did what, and is needed by nobody
   * else.
   */
  readonly deliveredSeconds?: number
  /**
   * How long dead letters are kept, in seconds. Default: 2,592,000, thirty days: somebody has to
   * look at them first.
   */
  readonly deadLetterSeconds?: number
}

/** How streams live, as the application gives it. */
export interface LifeOptions {
  /** What happens to streams whose Receivers give no sign of life. Default: nothing. */
  readonly inactivity?: InactivityOptions
  /** When the Transmitter verifies streams by itself. Default: never. */
  readonly verification?: VerificationOptions
  /** How long and how much is kept. */
  readonly retention?: RetentionOptions
}

/** {@link LifeOptions} with every default filled in. */
export interface LifeSettings {
  readonly inactivity: InactivityOptions | undefined
  readonly verification: {
    readonly onCreate: boolean
    readonly everySeconds: number | undefined
  }
  readonly retention: Required<RetentionOptions>
}

const daySeconds = 86_400

/** Fills in the defaults. */
export function readLifeOptions({
  inactivity,
  verification,
  retention = {},
}: LifeOptions): LifeSettings {
  return {
    inactivity,
    verification: {
      onCreate: verification?.onCreate ?? false,
      everySeconds: verification?.everySeconds,
    },
    retention: {
      maxRows: retention.maxRows ?? 1_000_000,
      maxAgeSeconds: retention.maxAgeSeconds ?? 14 * daySeconds,
      deliveredSeconds: retention.deliveredSeconds ?? 0,
      deadLetterSeconds: retention.deadLetterSeconds ?? 30 * daySeconds,
    },
  }
}

const actions: readonly unknown[] = ['pause', 'disable', 'delete']

/**
 * Notes the mistakes in {@link LifeOptions}.
 *
 * @param longPollMs How long a poll may be held
 */
export function checkLifeOptions(
  checks: OptionChecks,
  options: LifeOptions,
  longPollMs: number,
): void {
  const { inactivity, verification, retention = {} } = options
  if (inactivity) {
    const { timeoutSeconds, action } = inactivity
    checks.check(
      isWhole(timeoutSeconds, 1) && timeoutSeconds * 1000 > longPollMs,
      '"inactivity.timeoutSeconds" must be an integer, and longer than "poll.longPollMs"',
    )
    checks.check(
      actions.includes(action),
      '"inactivity.action" must be "pause", "disable" or "delete"',
    )
  }
  checks.check(
    isWhole(verification?.everySeconds ?? 1, 1),
    '"verification.everySeconds" must be an integer of 1 or more',
  )
  for (const [name, least] of leasts) {
    checks.check(
      isWhole(retention[name] ?? least, least),
      `"retention.${name}" must be an integer of ${least} or more`,
    )
  }
  const { maxAgeSeconds, deliveredSeconds } = readLifeOptions(options).retention
  checks.check(
    !(deliveredSeconds > maxAgeSeconds),
    '"retention.deliveredSeconds" must not be more than "retention.maxAgeSeconds"',
  )
}

const leasts: readonly (readonly [keyof RetentionOptions, number])[] = [
  ['maxRows', 1],
  ['maxAgeSeconds', 1],
  ['deliveredSeconds', 0],
  ['deadLetterSeconds', 0],
]

const isWhole = (value: unknown, least: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least
