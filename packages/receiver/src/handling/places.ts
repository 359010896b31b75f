/** Lets only so much work run at a time. */
export interface Places {
  /**
   * Runs `work` as soon as there is a place; whoever came first goes first. Settles as `work` does.
   *
   * @throws The reason of the signal where it aborts before there is a place: `work` never runs
   *   then
   */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>
}

/** Makes {@link Places}. */
export function createPlaces(count: number): Places {
  let free = count
  const waiting = new Set<() => void>()

  const place = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        waiting.delete(take)
        reject(signal?.reason as Error)
      }
      const take = (): void => {
        waiting.delete(take)
        signal?.removeEventListener('abort', abort)
        free--
        resolve()
      }
      if (signal?.aborted) return abort()
      if (free > 0) return take()
      signal?.addEventListener('abort', abort, { once: true })
      waiting.add(take)
    })
  const giveBack = (): void => {
    free++
    const [next] = waiting
    next?.()
  }

  return {
    run: async (work, signal) => {
      await place(signal)
      try {
        return await work()
      } finally {
        giveBack()
      }
    },
  }
}
