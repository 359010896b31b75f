/** Lets only so much work run at a time. */
export interface Places {
  /**
   * Runs `work` as soon as there is a place; whoever came first goes first. Settles as `work` does.
   *
   * @throws The reason of the signal where it has aborted by then: `work` never runs
   */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>
}

/** Makes {@link Places}. */
export function createPlaces(count: number): Places {
  let free = count
  const waiting = new Set<() => void>()
  const place = async (): Promise<void> => {
    if (free-- > 0) return
    await new Promise<void>((resolve) => void waiting.add(resolve))
  }
  const giveBack = (): void => {
    free++
    const [next] = waiting
    if (!next) return
    waiting.delete(next)
    next()
  }
  return {
    run: async (work, signal) => {
      await place()
      try {
        // Judged in turn: a listener for each that waits would be many on one signal.
        signal?.throwIfAborted()
        return await work()
      } finally {
        giveBack()
      }
    },
  }
}
