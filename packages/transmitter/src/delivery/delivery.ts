import { poll, type PollResponse } from '@drawbridge/schema'
import type { Stream } from '../streams/stream.ts'
import type { DeliveryContext, QueueContext } from './delivery-context.ts'
import { createPollQueue, type PollQueue, type PollWanted } from './poll-queue.ts'
import { createPoster, pushTarget, type Poster } from './post-set.ts'
import type { Fault } from './push-health.ts'
import { createPushQueue, type PushQueue } from './push-queue.ts'
import { createTimetable } from './timetable.ts'
import { whatLeaves } from './what-leaves.ts'

/** Brings SETs from the outbox to their Receivers. */
export interface Delivery {
  /** Takes up a stream, or what has changed about it. */
  update(stream: Stream): void
  /** Ends the delivery of a stream that was deleted. */
  remove(streamId: string): void
  /** Says that there are new rows. */
  wake(streamId: string): void
  /** Answers a poll. */
  poll(stream: Stream, request: PollWanted, signal: AbortSignal): Promise<PollResponse>
  /** What is wrong with a stream, in a few printable words, while something is. */
  faultOf(streamId: string): string | undefined
  /** How the delivery of a stream goes. */
  healthOf(streamId: string): DeliveryHealth
  /** Ends waits and lets pushes that are under way end, for two seconds at most. */
  stop(): Promise<void>
}

/** How the delivery of a stream goes, as far as this process knows. Times since 1970. */
export interface DeliveryHealth {
  /** What is wrong, in a few printable words, while something is. */
  readonly fault?: string
  /** Since when, in milliseconds. */
  readonly faultSince?: number
  /** How many pushes are under way, or SETs on offer to polls. */
  readonly inFlight: number
  /** When a SET was taken last, in milliseconds. */
  readonly lastDeliveredAt?: number
}

const drainMs = 2000

/** Makes the delivery of one Transmitter: a queue for each stream that is at work. */
export function createDelivery(deliveryContext: DeliveryContext): Delivery {
  const { settings, clock } = deliveryContext
  const { timeoutMs, allowedHosts, ca } = settings.push
  const poster = createPoster({
    timeoutMs,
    ca,
    allowedHosts,
    allowLoopback: settings.allowInsecureHttp,
  })
  const timetable = createTimetable(clock)
  const context: QueueContext = { ...deliveryContext, timetable }
  const pushes = new Map<string, Push>()
  const polls = new Map<string, PollQueue>()
  const pushOf = (streamId: string): Push => {
    const push = pushes.get(streamId) ?? createPush(poster, context)
    pushes.set(streamId, push)
    return push
  }
  const pollOf = (stream: Stream): PollQueue => {
    const known = polls.get(stream.stream_id)
    if (known) return known
    const queue = createPollQueue(stream.stream_id, context)
    polls.set(stream.stream_id, queue)
    updatePoll(queue, stream)
    return queue
  }
  const end = (streamId: string, which: 'push' | 'poll' | 'both'): void => {
    if (which !== 'poll') {
      void pushes.get(streamId)?.stop()
      pushes.delete(streamId)
    }
    if (which !== 'push') {
      void polls.get(streamId)?.stop()
      polls.delete(streamId)
    }
  }
  const healthOf = (streamId: string): DeliveryHealth =>
    pushes.get(streamId)?.health() ?? pollHealth(polls.get(streamId))

  return {
    update: (stream) => {
      if (stream.delivery.method === poll) {
        end(stream.stream_id, 'push')
        updatePoll(pollOf(stream), stream)
      } else {
        end(stream.stream_id, 'poll')
        pushOf(stream.stream_id).update(stream)
      }
    },
    remove: (streamId) => end(streamId, 'both'),
    wake: (streamId) => {
      pushes.get(streamId)?.wake()
      polls.get(streamId)?.wake()
    },
    poll: (stream, request, signal) => pollOf(stream).answer(request, signal),
    faultOf: (streamId) => healthOf(streamId).fault,
    healthOf,
    stop: async () => {
      const answered = Promise.all(Array.from(polls.values(), (queue) => queue.stop()))
      const pushed = Promise.all(Array.from(pushes.values(), (push) => push.stop()))
      await Promise.race([Promise.all([answered, pushed]), clock.sleep(drainMs)])
      await poster.destroy()
      await pushed
      timetable.stop()
    },
  }
}

const updatePoll = (queue: PollQueue, stream: Stream): void =>
  queue.update(whatLeaves(stream), stream.status === 'disabled')

function pollHealth(queue: PollQueue | undefined): DeliveryHealth {
  if (!queue) return { inFlight: 0 }
  const { health, inFlight } = queue
  return deliveryHealth('reported', { ...health, inFlight })
}

/** The pushing of one stream over its changes of status. */
interface Push {
  update(stream: Stream): void
  wake(): void
  health(): DeliveryHealth
  stop(): Promise<void>
}

function createPush(poster: Poster, context: QueueContext): Push {
  let queue: PushQueue | undefined
  let ended: Promise<void> = Promise.resolve()
  let lastDeliveredAt: number | undefined

  const stop = (): Promise<void> => {
    const stopping = queue
    queue = undefined
    if (stopping) ended = Promise.all([ended, stopping.stop()]).then(() => undefined)
    return ended
  }
  return {
    update: (stream) => {
      const before = stop()
      const { stream_id, delivery } = stream
      const leaving = whatLeaves(stream)
      if (leaving === 'nothing' || delivery.method === poll) return
      const { endpoint_url, authorization } = delivery
      const plan = {
        poster,
        target: pushTarget(endpoint_url, authorization),
        leaving,
        // Only then: two queues at work would send a row twice, and lanes out of order.
        begin: before,
        delivered: (at: number) => void (lastDeliveredAt = at),
      }
      queue = createPushQueue(stream_id, plan, context)
    },
    wake: () => queue?.wake(),
    health: () => {
      const { fault, inFlight = 0 } = queue ?? {}
      return deliveryHealth('push fails', { fault, inFlight, lastDeliveredAt })
    },
    stop,
  }
}

function deliveryHealth(
  what: string,
  known: {
    readonly fault: Fault | undefined
    readonly inFlight: number
    readonly lastDeliveredAt: number | undefined
  },
): DeliveryHealth {
  const { fault, inFlight, lastDeliveredAt } = known
  return {
    ...(fault ? { fault: `${what}: ${fault.reason}`, faultSince: fault.since } : {}),
    inFlight,
    ...(lastDeliveredAt === undefined ? {} : { lastDeliveredAt }),
  }
}
