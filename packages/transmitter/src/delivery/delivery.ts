import { poll, type PollRequest, type PollResponse } from '@drawbridge/schema'
import type { Stream } from '../streams/stream.ts'
import type { DeliveryContext } from './delivery-context.ts'
import { createPollQueue, type PollQueue } from './poll-queue.ts'
import { createPoster, pushTarget, type Poster } from './post-set.ts'
import { createPushQueue, type PushQueue } from './push-queue.ts'

/** Brings SETs from the outbox to their Receivers. */
export interface Delivery {
  /** Takes up a stream, or what has changed about it. */
  update(stream: Stream): void
  /** Ends the delivery of a stream that was deleted. */
  remove(streamId: string): void
  /** Says that there are new rows. */
  wake(streamId: string): void
  /** Answers a poll. */
  poll(stream: Stream, request: PollRequest, signal: AbortSignal): Promise<PollResponse>
  /** What is wrong with a push stream, while something is. */
  faultOf(streamId: string): string | undefined
  /** Ends waits and lets pushes that are under way end, for two seconds at most. */
  stop(): Promise<void>
}

const drainMs = 2000

/** Makes the delivery of one Transmitter: a queue for each stream that is at work. */
export function createDelivery(context: DeliveryContext): Delivery {
  const { settings } = context
  const { timeoutMs, allowedHosts } = settings.push
  const allowLoopback = settings.allowInsecureHttp
  const poster = createPoster(timeoutMs, { allowedHosts, allowLoopback })
  const pushes = new Map<string, Push>()
  const polls = new Map<string, Poll>()

  const endPush = (streamId: string): void => {
    void pushes.get(streamId)?.stop()
    pushes.delete(streamId)
  }
  const endPoll = (streamId: string): void => {
    polls.get(streamId)?.queue.stop()
    polls.delete(streamId)
  }
  const pushOf = (streamId: string): Push => {
    const push = pushes.get(streamId) ?? createPush(poster, context)
    pushes.set(streamId, push)
    return push
  }
  const pollOf = (stream: Stream): Poll => {
    const known = polls.get(stream.stream_id)
    if (known) {
      known.stream = stream
      return known
    }
    const isEnabled = (): boolean => made.stream.status === 'enabled'
    const made: Poll = { stream, queue: createPollQueue(stream.stream_id, isEnabled, context) }
    polls.set(stream.stream_id, made)
    return made
  }

  return {
    update: (stream) => {
      if (stream.delivery.method === poll) {
        endPush(stream.stream_id)
        pollOf(stream).queue.wake()
      } else {
        endPoll(stream.stream_id)
        pushOf(stream.stream_id).update(stream)
      }
    },
    remove: (streamId) => {
      endPush(streamId)
      endPoll(streamId)
    },
    wake: (streamId) => {
      pushes.get(streamId)?.wake()
      polls.get(streamId)?.queue.wake()
    },
    poll: (stream, request, signal) => pollOf(stream).queue.answer(request, signal),
    faultOf: (streamId) => pushes.get(streamId)?.fault(),
    stop: async () => {
      for (const { queue } of polls.values()) queue.stop()
      const drained = Promise.all(Array.from(pushes.values(), (push) => push.stop()))
      await Promise.race([drained, context.clock.sleep(drainMs)])
      await poster.destroy()
      await drained
    },
  }
}

interface Poll {
  stream: Stream
  readonly queue: PollQueue
}

/** The pushing of one stream over its changes of status. */
interface Push {
  update(stream: Stream): void
  wake(): void
  fault(): string | undefined
  stop(): Promise<void>
}

function createPush(poster: Poster, context: DeliveryContext): Push {
  let queue: PushQueue | undefined
  let ended: Promise<void> = Promise.resolve()

  const stop = (): Promise<void> => {
    const stopping = queue
    queue = undefined
    if (stopping) ended = Promise.all([ended, stopping.stop()]).then(() => undefined)
    return ended
  }
  return {
    update: ({ stream_id, status, delivery }) => {
      const before = stop()
      if (status !== 'enabled' || delivery.method === poll) return
      const { endpoint_url, authorization } = delivery
      const target = pushTarget(endpoint_url, authorization)
      // Only then: two queues at work would send a row twice, and lanes out of order.
      queue = createPushQueue(stream_id, { poster, target, begin: before }, context)
    },
    wake: () => queue?.wake(),
    fault: () => queue?.fault,
    stop,
  }
}
