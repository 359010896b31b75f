import { backoffMs } from '@drawbridge/core'
import type { QueueContext } from './delivery-context.ts'
import type { Offers } from './offers.ts'
import { longestProbeMs, type Fault } from './push-health.ts'
import type { Waiters } from './waiters.ts'
import type { Leaving } from './what-leaves.ts'

/** What the parts of a poll queue share. */
export interface PollParts extends QueueContext {
  readonly streamId: string
  readonly offers: { readonly announcements: Offers; readonly events: Offers }
  readonly waiters: Waiters
  readonly health: PollHealth
  readonly leaving: () => Leaving
  /** Sees to it that what is on offer is offered again in time, also to a poll that waits. */
  readonly watchOffers: () => void
  /** Does not see to it any more. */
  readonly forgetOffers: () => void
}

/** What the reports of a Receiver say of a polled stream. */
export interface PollHealth {
  /** What is wrong with the stream, while something is. */
  fault: Fault | undefined
  /** How many SETs in a row were refused. */
  refusalsInARow: number
  /** How many SETs were acknowledged. */
  taken: number
  /** When a SET was acknowledged last, in milliseconds since 1970. */
  lastDeliveredAt: number | undefined
}

/** Makes the health of a stream of which nothing is known. */
export const createPollHealth = (): PollHealth => ({
  fault: undefined,
  refusalsInARow: 0,
  taken: 0,
  lastDeliveredAt: undefined,
})

/** When a SET is offered again that its Receiver could not take. */
export const retryMs = ({ settings }: QueueContext, failures: number): number =>
  Math.min(backoffMs(settings.push.backoff, failures, settings.random()), longestProbeMs)
