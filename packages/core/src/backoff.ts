/** When to try again: exponential, with jitter, bounded. */
export interface Backoff {
  /** The wait before the first repetition, in milliseconds, before jitter. */
  readonly firstMs: number
  /** The longest wait in milliseconds. */
  readonly longestMs: number
}

/**
 * The wait before the next attempt, in milliseconds: half of it fixed and half random, so that
 * peers that failed together do not come back together.
 *
 * @param failures How many attempts have failed in a row, 1 or more
 * @param random From 0 (included) to 1 (excluded), as `Math.random` gives it
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const full = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(failures - 1, 30))
  return Math.round(full / 2 + (full / 2) * random)
}

const longestRetryAfterMs = 3_600_000

/**
 * Reads a `Retry-After` field, in seconds or as an HTTP date, up to one hour.
 *
 * @returns Milliseconds from `now`, or undefined when there is none that can be read
 */
export function retryAfterMs(value: string | null | undefined, now: number): number | undefined {
  if (!value) return undefined
  const text = value.trim()
  // Date.parse takes "-5" and "1.5" for dates, long ago; an HTTP date begins with the day's name.
  const date = /^[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : date - now
  if (!Number.isFinite(ms)) return undefined
  return Math.min(longestRetryAfterMs, Math.max(0, ms))
}
