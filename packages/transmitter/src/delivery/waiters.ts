import type { Timetable } from './timetable.ts'

/** Long polls that wait for rows. */
export interface Waiters {
  /** How many times somebody woke them. Read it before looking for rows: see {@link wait}. */
  readonly wakes: number
  readonly isStopped: boolean
  /**
   * Waits for a wake, until a time in milliseconds since 1970 at most. Returns at once when there
   * was a wake since `seen`, so that a row that arrives between looking and waiting is not
   * overlooked.
   */
  wait(until: number, seen: number, signal: AbortSignal): Promise<void>
  /** Wakes the one that has waited longest. It wakes the next where it leaves something. */
  wake(): void
  /** Wakes all, and lets nobody wait any more. */
  stop(): void
}

/**
 * Makes the waiting room of one stream. A waiter is a function in a set and in a timetable: no
 * timer and no promise of its own but the one that is waited for.
 */
export function createWaiters(timetable: Timetable): Waiters {
  const waiting = new Set<() => void>()
  let wakes = 0
  let isStopped = false
  return {
    get wakes() {
      return wakes
    },
    get isStopped() {
      return isStopped
    },
    wait: (until, seen, signal) => {
      if (wakes !== seen || isStopped || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const leave = (): void => {
          waiting.delete(leave)
          timetable.delete(leave)
          signal.removeEventListener('abort', leave)
          resolve()
        }
        waiting.add(leave)
        timetable.add(leave, until)
        signal.addEventListener('abort', leave)
      })
    },
    wake: () => {
      wakes++
      const [longest] = waiting
      longest?.()
    },
    stop: () => {
      isStopped = true
      wakes++
      for (const leave of waiting) leave()
    },
  }
}
