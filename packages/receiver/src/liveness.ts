import type { Clock } from '@drawbridge/core'

/** When a Receiver asks for a sign of life, and when a Transmitter counts as silent. */
export interface LivenessOptions {
  /**
   * After how long without any SET a Verification event is asked for, in seconds; 0 never asks. A
   * Transmitter's own `min_verification_interval` is kept. Default: 600.
   */
  readonly verifyEverySeconds?: number
  /**
   * After how long without any SET a stream counts as silent, in seconds. Default: 1,800; never for
   * a stream that is not managed.
   */
  readonly silentAfterSeconds?: number
}

/** What {@link createLiveness} needs. Nothing of it may reject. */
export interface LivenessParts extends Required<LivenessOptions> {
  readonly clock: Clock
  /** What the Transmitter asks for between two verifications, in seconds. */
  readonly minIntervalSeconds: () => number
  /** Asks for a Verification event. */
  readonly requestVerification: () => Promise<void>
  /** The stream fell silent. */
  readonly fellSilent: (heardAt: number) => Promise<void>
  /** It is heard again. */
  readonly returned: (heardAt: number, silentSinceMs: number) => void
}

/** Knows when a stream was heard of last. */
export interface Liveness {
  /** When a SET came last, or watching began, in milliseconds since 1970. */
  readonly heardAt: number
  readonly isSilent: boolean
  /** A SET came that holds. */
  heard(): void
  /** Watches until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>
}

/**
 * Makes the watch over one stream. Every SET is a sign of life; only a stream on which nothing
 * happens is asked for one.
 *
 * @see OpenID SSF 1.0, "Verification"
 */
export function createLiveness(parts: LivenessParts): Liveness {
  const { clock } = parts
  const asks = parts.verifyEverySeconds > 0
  const verifyMs = (): number =>
    Math.max(parts.verifyEverySeconds, parts.minIntervalSeconds()) * 1000
  const silentMs = parts.silentAfterSeconds * 1000
  let heardAt = clock.now()
  let askedAt = heardAt
  let isSilent = false

  const dueInMs = (): number => {
    const askDue = asks ? Math.max(heardAt, askedAt) + verifyMs() : Infinity
    const silentDue = isSilent ? Infinity : heardAt + silentMs
    return Math.max(0, Math.min(askDue, silentDue) - clock.now())
  }
  const look = async (): Promise<void> => {
    const now = clock.now()
    if (!isSilent && now >= heardAt + silentMs) {
      isSilent = true
      await parts.fellSilent(heardAt)
    }
    if (asks && now >= Math.max(heardAt, askedAt) + verifyMs()) {
      askedAt = now
      await parts.requestVerification()
    }
  }

  return {
    get heardAt() {
      return heardAt
    },
    get isSilent() {
      return isSilent
    },
    heard: () => {
      const before = heardAt
      heardAt = clock.now()
      if (!isSilent) return
      isSilent = false
      parts.returned(heardAt, heardAt - before)
    },
    watch: async (signal) => {
      heardAt = askedAt = clock.now()
      while (!signal.aborted) {
        await clock.sleep(dueInMs(), signal)
        if (!signal.aborted) await look()
      }
    },
  }
}
