/** Those that wait for something to hold. */
export interface Waiting {
  /** Resolves when the condition holds. */
  until(holds: () => boolean): Promise<void>
  /** Looks whether something holds now. */
  look(): void
  /** Rejects whoever waits, and whoever comes. */
  end(): void
}

interface Waiter {
  holds(): boolean
  resolve(): void
  reject(error: unknown): void
}

/** Makes a list of those that wait. */
export function createWaiting(): Waiting {
  const waiters = new Set<Waiter>()
  let ended = false
  const settle = (waiter: Waiter): void => {
    try {
      if (waiter.holds()) waiter.resolve()
      else if (ended) waiter.reject(new Error('the receiver was closed before'))
      else return void waiters.add(waiter)
    } catch (error) {
      waiter.reject(error)
    }
    waiters.delete(waiter)
  }
  const look = (): void => {
    for (const waiter of waiters) settle(waiter)
  }
  return {
    until: (holds) => new Promise((resolve, reject) => settle({ holds, resolve, reject })),
    look,
    end: () => {
      ended = true
      look()
    },
  }
}
