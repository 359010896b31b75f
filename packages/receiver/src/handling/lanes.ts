/** Runs work of one lane in order and work of different lanes side by side. */
export interface Lanes {
  /** Runs `work` after all earlier work of the lane has settled. Settles as `work` does. */
  run<Result>(lane: string, work: () => Promise<Result>): Promise<Result>
}

/** Makes {@link Lanes}. A lane that is idle takes no memory. */
export function createLanes(): Lanes {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run(lane, work) {
      const result = (tails.get(lane) ?? Promise.resolve()).then(work)
      const tail = result
        .catch(() => undefined)
        .then(() => {
          if (tails.get(lane) === tail) tails.delete(lane)
        })
      tails.set(lane, tail)
      return result
    },
  }
}
