import type { Clock } from '@drawbridge/core'

/** A clock that stands still until it is turned. */
export interface ManualClock extends Clock {
  /** Turns the clock and wakes who has slept long enough. */
  advance(ms: number): Promise<void>
  /** How many sleep. */
  readonly sleepers: number
}

interface Sleeper {
  readonly until: number
  wake(): void
}

export function manualClock(nowMs: number): ManualClock {
  const sleepers = new Set<Sleeper>()
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = {
          until: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
      }),
    advance: async (ms) => {
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
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
