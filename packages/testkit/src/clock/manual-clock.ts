import type { Clock } from '@drawbridge/core'

/** A clock that stands still until it is turned. */
export interface ManualClock extends Clock {
  /**
   * Turns the clock on. Whoever sleeps until a moment on the way is woken at that moment, one after
   * the other, and has its turn before the next.
   */
  advance(ms: number): Promise<void>
  /**
   * Turns the clock on at once, as when a machine has slept: whoever slept until a moment on the
   * way is woken after it.
   */
  jump(ms: number): Promise<void>
  /** How many sleep. */
  readonly sleepers: number
}

interface Sleeper {
  readonly until: number
  wake(): void
}

/**
 * Makes a clock for the option `clock`, to be turned by a test.
 *
 * @example
 *   const clock = manualClock()
 *   const transmitter = createTransmitter({ ...options, clock })
 *   await clock.advance(3_600_000)
 *
 * @param nowMs Milliseconds since 1970 to begin with. Default: a moment in 2023
 */
export function manualClock(nowMs = 1_700_000_000_000): ManualClock {
  const sleepers = new Set<Sleeper>()
  const next = (): Sleeper | undefined =>
    [...sleepers].toSorted((one, other) => one.until - other.until)[0]
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const wake = (): void => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { until: nowMs + ms, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    advance: async (ms) => {
      const until = nowMs + ms
      await settled()
      for (let sleeper = next(); sleeper && sleeper.until <= until; sleeper = next()) {
        nowMs = Math.max(nowMs, sleeper.until)
        sleeper.wake()
        await settled()
      }
      nowMs = until
      await settled()
    },
    jump: async (ms) => {
      await settled()
      nowMs += ms
      for (const sleeper of sleepers) if (sleeper.until <= nowMs) sleeper.wake()
      await settled()
    },
    get sleepers() {
      return sleepers.size
    },
  }
}

/** Resolves when everything that waits for nothing but promises has run. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
