import { backoffMs, type Backoff } from '@drawbridge/core'
import type { Outcome } from './verdict.ts'

/** What is wrong with a stream, and since when, in milliseconds since 1970. */
export interface Fault {
  readonly reason: string
  readonly since: number
}

/**
 * What is done about an attempt that failed.
 *
 * - `wait`: the lane waits, the others go on.
 * - `hold`: the stream waits too, and is probed with one request at a time.
 * - `bury`: the SET becomes a dead letter, its lane goes on.
 * - `set-aside`: it is buried as soon as another SET gets through, or nothing speaks against it.
 */
export type Consequence = 'wait' | 'hold' | 'bury' | 'set-aside'

/** What is known when an attempt has failed. */
export interface Failure {
  readonly outcome: Exclude<Outcome, 'delivered'>
  /** The SET has failed before, and another one that was sent after that got through. */
  readonly isOwnFault: boolean
  /** Several lanes have failed since a SET got through last. */
  readonly areSeveral: boolean
  /** The SET was tried often enough, and is old enough, to be given up. */
  readonly isSpent: boolean
}

/**
 * Decides whether the SET is to blame or the stream. A stream on which nothing gets through buries
 * nothing: neither does one that broke a moment ago, whatever it answers. A SET that fails while
 * others get through holds nobody up but its own lane.
 */
export function consequence({ outcome, isOwnFault, areSeveral, isSpent }: Failure): Consequence {
  if (isOwnFault && !areSeveral) return outcome === 'refused' || isSpent ? 'bury' : 'wait'
  if (isOwnFault) return 'wait'
  if (areSeveral || outcome === 'stream-at-fault') return 'hold'
  return outcome === 'refused' ? 'set-aside' : 'wait'
}

/** The part of a lane that its health is judged by. */
export interface Failing {
  readonly name: string
  readonly failures: number
  readonly failingSince: number | undefined
}

/** Whether a stream is well, and how carefully it is to be approached. */
export interface PushHealth {
  /** What is wrong with the stream, while something is. */
  readonly fault: Fault | undefined
  /** The number of the attempt that began last. */
  readonly latest: number
  /** How many attempts may be under way: one where the last answers give no confidence. */
  width(): number
  /** Begins an attempt, and gives its number. */
  begin(): number
  /**
   * Notes a delivery: all is well.
   *
   * @returns Whether it was not before
   */
  succeeded(attempt: number): boolean
  /** Notes a failure of the first SET of a lane. */
  failed(lane: Failing, reason: string): void
  /** Whether a SET that was sent after the failure of a lane got through. */
  isOwnFault(lane: Failing): boolean
  /** Whether several lanes have failed since a SET got through last. */
  areSeveral(): boolean
  /**
   * Notes that the stream is at fault.
   *
   * @returns Milliseconds until it may be probed
   */
  hold(reason: string): number
  /** Notes that the Receiver asked for a pause of all requests. */
  asked(): void
}

/** So many lanes that fail in a row are a broken Receiver, not broken SETs. */
const several = 3
/** A SET that failed so often, and nothing got through meanwhile: worth telling. */
const failuresToTell = 5
/** A stream at fault is probed at least so often, in milliseconds. */
export const longestProbeMs = 300_000

/** What the health of a stream needs. */
export interface HealthContext {
  readonly maxInFlight: number
  readonly backoff: Backoff
  readonly random: () => number
  readonly now: () => number
}

/**
 * Makes the health of one stream. A stream at fault is probed with one request at a time, at least
 * every five minutes.
 */
export function createPushHealth({ maxInFlight, backoff, random, now }: HealthContext): PushHealth {
  const bounded = { ...backoff, longestMs: Math.min(backoff.longestMs, longestProbeMs) }
  const failedLanes = new Set<string>()
  let fault: Fault | undefined
  let holds = 0
  let careful = false
  let latest = 0
  /** The last attempt, by its beginning, that got through. */
  let proven = 0
  const tell = (reason: string): void => void (fault = { since: now(), ...fault, reason })
  const isOwnFault = ({ failingSince }: Failing): boolean =>
    failingSince !== undefined && failingSince < proven
  return {
    get fault() {
      return fault
    },
    get latest() {
      return latest
    },
    width: () => (careful ? 1 : maxInFlight),
    begin: () => ++latest,
    succeeded: (attempt) => {
      const wasAtFault = fault !== undefined
      fault = undefined
      holds = 0
      careful = false
      failedLanes.clear()
      proven = Math.max(proven, attempt)
      return wasAtFault
    },
    failed: (lane, reason) => {
      failedLanes.add(lane.name)
      if (lane.failures >= failuresToTell && !isOwnFault(lane)) tell(reason)
    },
    isOwnFault,
    areSeveral: () => failedLanes.size >= several,
    hold: (reason) => {
      tell(reason)
      careful = true
      return backoffMs(bounded, ++holds, random())
    },
    asked: () => void (careful = true),
  }
}
