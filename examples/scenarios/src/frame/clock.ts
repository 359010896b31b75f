import { systemClock, type Clock } from '@drawbridge/core'

/** The machine's clock, which can be turned ahead: nobody has to wait for a window to close. */
export interface TurnableClock extends Clock {
  /** Turns it ahead and wakes who has slept long enough by it. */
  turn(ms: number): void
}

/** Makes a clock that shows the machine's time until it is turned. */
export function turnableClock(): TurnableClock {
  let aheadMs = 0
  let turned = new AbortController()
  const now = (): number => systemClock.now() + aheadMs
  return {
    now,
    sleep: async (ms, signal) => {
      const until = now() + ms
      const isOver = (): boolean => now() >= until || signal?.aborted === true
      while (!isOver()) {
        const woken = AbortSignal.any([turned.signal, ...(signal ? [signal] : [])])
        await systemClock.sleep(until - now(), woken)
      }
    },
    turn: (ms) => {
      aheadMs += ms
      turned.abort()
      turned = new AbortController()
    },
  }
}
