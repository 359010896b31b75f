import type { Clock } from '@drawbridge/core'

/** Long polls that wait for rows. */
export interface Waiters {
  /** How many times somebody woke them. Read it before looking for rows: see {@link wait}. */
  readonly wakes: number
  readonly isStopped: boolean
  /**
   * Waits for the next wake, at most `ms`. Returns at once when there was one since `seen`, so that
   * a row that arrives between looking and waiting is not overlooked.
   */
  wait(ms: number, seen: number, signal: AbortSignal): Promise<void>
  wake(): void
  /** Wakes all, and lets nobody wait any more. */
  stop(): void
}

/** Makes the waiting room of one stream. */
export function createWaiters(clock: Clock): Waiters {
  const waiting = new Set<AbortController>()
  let wakes = 0
  let isStopped = false
  const wake = (): void => {
    wakes++
    for (const waiter of waiting) waiter.abort()
    waiting.clear()
  }
  return {
    get wakes() {
      return wakes
    },
    get isStopped() {
      return isStopped
    },
    wait: async (ms, seen, signal) => {
      if (wakes !== seen || isStopped || signal.aborted) return
      const waiter = new AbortController()
      const leave = (): void => waiter.abort()
      waiting.add(waiter)
      signal.addEventListener('abort', leave, { once: true })
      await clock.sleep(ms, waiter.signal)
      signal.removeEventListener('abort', leave)
      waiting.delete(waiter)
    },
    wake,
    stop: () => {
      isStopped = true
      wake()
    },
  }
}
