import type { Clock } from '@drawbridge/core'

/** Something of a peer's that is kept at hand and read anew in time. */
export interface Kept<Value> {
  /**
   * What is at hand; read first where it is older than ten minutes. Where it cannot be read, what
   * is at hand serves for an hour: a peer that is down for a moment stops nobody.
   */
  current(): Promise<Value>
  /** It read anew, or undefined when it was read just before: nobody makes us ask all the time. */
  renewed(): Promise<Value | undefined>
}

const freshForMs = 600_000
const keptForMs = 3_600_000
const restAfterReadingMs = 30_000
const restAfterFailureMs = 5_000

/**
 * Keeps what `read` gives. It is read once at a time, and at most once in 30 seconds, or in five
 * after a failure; meanwhile the failure is repeated at once.
 */
export function createKept<Value>(read: () => Promise<Value>, clock: Clock): Kept<Value> {
  let last: { readonly value: Value; readonly at: number } | undefined
  let failure: unknown
  let restsUntil = Number.NEGATIVE_INFINITY
  let reading: Promise<Value> | undefined

  const attempt = async (): Promise<Value> => {
    try {
      const value = await read()
      last = { value, at: clock.now() }
      failure = undefined
      restsUntil = clock.now() + restAfterReadingMs
      return value
    } catch (error) {
      failure = error
      restsUntil = clock.now() + restAfterFailureMs
      throw error
    } finally {
      reading = undefined
    }
  }
  /** Undefined where it is too early to read. */
  const readAgain = (): Promise<Value> | undefined => {
    if (!reading && clock.now() >= restsUntil) reading = attempt()
    return reading
  }
  const youngerThan = (ms: number): { readonly value: Value } | undefined =>
    last && clock.now() - last.at < ms ? last : undefined

  return {
    current: async () => {
      const fresh = youngerThan(freshForMs)
      if (fresh) return fresh.value
      const again = await readAgain()?.then(
        (value) => ({ value }),
        () => undefined,
      )
      const usable = again ?? youngerThan(keptForMs)
      if (usable) return usable.value
      throw failure
    },
    renewed: async () => {
      const again = readAgain()
      if (again) return await again
      if (failure !== undefined) throw failure
      return undefined
    },
  }
}
