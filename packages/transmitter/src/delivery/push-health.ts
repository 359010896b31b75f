import { backoffMs, type Backoff } from '@drawbridge/core'

/** Whether a stream is well, and how carefully it is to be approached. */
export interface PushHealth {
  /** What is wrong with the stream, while something is. */
  readonly fault: string | undefined
  /** How many attempts may be under way: one where the last answers give no confidence. */
  width(): number
  /** Notes a delivery: all is well. */
  succeeded(): void
  /** Notes a refused SET. False when so many came in a row that the SETs cannot be to blame. */
  refused(): boolean
  /**
   * Notes that the stream is at fault.
   *
   * @returns Milliseconds until it may be probed
   */
  failed(reason: string): number
  /** Notes that the Receiver asked for a pause of all requests. */
  asked(): void
}

/** So many SETs refused in a row are a broken Receiver, not broken SETs. */
const refusalsInARow = 3
/** A stream at fault is probed at least so often, in milliseconds. */
export const longestProbeMs = 300_000

/**
 * Makes the health of one stream. A stream at fault is probed with one request at a time, at least
 * every five minutes.
 */
export function createPushHealth(
  maxInFlight: number,
  backoff: Backoff,
  random: () => number,
): PushHealth {
  const bounded = { ...backoff, longestMs: Math.min(backoff.longestMs, longestProbeMs) }
  let fault: string | undefined
  let faults = 0
  let refusals = 0
  let careful = false
  return {
    get fault() {
      return fault
    },
    width: () => (careful ? 1 : maxInFlight),
    succeeded: () => {
      fault = undefined
      faults = 0
      refusals = 0
      careful = false
    },
    refused: () => ++refusals < refusalsInARow,
    failed: (reason) => {
      fault = reason
      careful = true
      return backoffMs(bounded, ++faults, random())
    },
    asked: () => void (careful = true),
  }
}
