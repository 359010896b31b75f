/** Time and timers, given so that tests can turn them. */
export interface Clock {
  /** Milliseconds since 1970, as `Date.now`. */
  now(): number
  /**
   * Resolves after `ms` milliseconds, or at once when the signal aborts. Never rejects, and does
   * not keep the process alive.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      // setTimeout takes 31 bits; a longer wait would fire at once.
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1))
      // A timer is a number where only Web APIs exist, and keeps nothing alive there.
      ;(timer as { unref?(): void }).unref?.()
      signal?.addEventListener('abort', done, { once: true })
    }),
}
