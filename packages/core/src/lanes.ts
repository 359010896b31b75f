/** Runs work of one lane in order, and work of different lanes side by side. */
export interface Lanes {
  /** Runs `work` after all earlier work of the lane has settled. Settles as `work` does. */
  run<Result>(lane: string, work: () => Result | Promise<Result>): Promise<Result>
  /** Resolves when no lane has work left. Never rejects. */
  idle(): Promise<void>
}

/** Makes {@link Lanes}. A lane that is idle takes no memory. */
export function createLanes(): Lanes {
  /** The last work of each lane. They never reject. */
  const tails = new Map<string, Promise<void>>()
  return {
    run(lane, work) {
      const result = (tails.get(lane) ?? Promise.resolve()).then(work)
      const over = (): void => {
        if (tails.get(lane) === tail) tails.delete(lane)
      }
      const tail = result.then(over, over)
      tails.set(lane, tail)
      return result
    },
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values())
    },
  }
}
