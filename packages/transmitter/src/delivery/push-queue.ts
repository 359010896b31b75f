import type { QueueContext } from './delivery-context.ts'
import { createLanes } from './lanes.ts'
import type { Poster, PushTarget } from './post-set.ts'
import { attempt } from './push-attempt.ts'
import { createPushHealth, type Fault } from './push-health.ts'
import type { PushParts } from './push-parts.ts'
import { createPushReader } from './push-reader.ts'
import { reportStorage } from './report-storage.ts'
import { createSettleLater } from './settle-later.ts'
import type { Leaving } from './what-leaves.ts'

/** Pushes the rows of one stream, from when it is made until it is stopped. */
export interface PushQueue {
  /** What is wrong with the stream, while something is. */
  readonly fault: Fault | undefined
  /** How many attempts are under way. */
  readonly inFlight: number
  /** Looks for rows in the store. */
  wake(): void
  /** Ends: no attempt begins any more. Resolves when those under way have ended. */
  stop(): Promise<void>
}

/** What a queue pushes, and where and when. */
export interface PushPlan {
  readonly poster: Poster
  readonly target: PushTarget
  readonly leaving: Exclude<Leaving, 'nothing'>
  /** Resolves when the queue before this one has ended. Never rejects. */
  readonly begin: Promise<void>
  /** Told of each delivery, in milliseconds since 1970. */
  readonly delivered: (at: number) => void
}

/**
 * Makes the push queue of one stream. Announcements go out first, then events: those of one lane
 * one after the other, in order, over failures too; up to `maxInFlight` lanes at a time.
 */
export function createPushQueue(
  streamId: string,
  plan: PushPlan,
  context: QueueContext,
): PushQueue {
  const stopping = new AbortController()
  let hasBegun = false
  const pump = (): void => {
    if (!hasBegun || stopping.signal.aborted) return
    startAttempts(parts)
    parts.reader.read()
  }
  const parts = makeParts(streamId, plan, { ...context, stopping: stopping.signal, pump })
  void plan.begin.then(() => {
    hasBegun = true
    pump()
  })
  return {
    get fault() {
      return parts.health.fault
    },
    get inFlight() {
      return parts.underWay.size
    },
    wake: () => {
      parts.reader.wake()
      pump()
    },
    stop: async () => {
      stopping.abort()
      forgetWaits(parts)
      while (parts.underWay.size > 0) await Promise.all(parts.underWay)
      await parts.settled.flush()
    },
  }
}

function makeParts(
  streamId: string,
  { poster, target, leaving, delivered }: PushPlan,
  context: QueueContext & Pick<PushParts, 'stopping' | 'pump'>,
): PushParts {
  const { clock, settings, stopping, pump } = context
  const { maxInFlight, backoff, maxAttempts } = settings.push
  const lanes = createLanes(maxAttempts)
  return {
    ...context,
    streamId,
    lanes,
    health: createPushHealth({
      maxInFlight,
      backoff,
      random: settings.random,
      now: () => clock.now(),
    }),
    settled: createSettleLater(streamId, context, (cause) => reportStorage(context, cause)),
    reader: createPushReader({ streamId, leaving, lanes, stopping, hasRead: pump }, context),
    post: (set) => poster.post(target, set),
    delivered,
    underWay: new Set(),
    waiting: new Map(),
    setAside: new Map(),
    hold: undefined,
  }
}

function startAttempts(queue: PushParts): void {
  const { lanes, health, underWay } = queue
  while (!queue.hold && underWay.size < health.width()) {
    const lane = lanes.take()
    if (!lane) return
    const running = attempt(queue, lane).finally(() => {
      underWay.delete(running)
      queue.pump()
    })
    underWay.add(running)
  }
}

function forgetWaits({ timetable, waiting, setAside, hold }: PushParts): void {
  for (const again of waiting.values()) timetable.delete(again)
  for (const { giveUp } of setAside.values()) timetable.delete(giveUp)
  if (hold) timetable.delete(hold.end)
}
