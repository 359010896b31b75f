import { backoffMs, retryAfterMs } from '@drawbridge/core'
import { setMaxListeners } from 'node:events'
import { mintSet } from '../mint-set.ts'
import type { DeliveryContext } from './delivery-context.ts'
import { createLanes, type Lane, type Lanes } from './lanes.ts'
import type { Poster, PushTarget } from './post-set.ts'
import { createPushHealth, longestProbeMs, type PushHealth } from './push-health.ts'
import { createSettleLater, type SettleLater } from './settle-later.ts'
import { verdict, type Answer, type Verdict } from './verdict.ts'

/** Pushes the rows of one stream, from when it is made until it is stopped. */
export interface PushQueue {
  /** What is wrong with the stream, while something is. */
  readonly fault: string | undefined
  /** Looks for rows in the store. */
  wake(): void
  /** Ends: no attempt begins any more. Resolves when those under way have ended. */
  stop(): Promise<void>
}

/** Where and when a queue pushes. */
export interface PushPlan {
  readonly poster: Poster
  readonly target: PushTarget
  /** Resolves when the queue before this one has ended. Never rejects. */
  readonly begin: Promise<void>
}

/** Rows in memory per stream; the rest waits in the store. */
const windowSize = 1000
const storeRetryMs = 1000

/**
 * Makes the push queue of one stream. Rows of one lane go out one after the other, in order, over
 * failures too; up to `maxInFlight` lanes at a time.
 */
export function createPushQueue(
  streamId: string,
  { poster, target, begin }: PushPlan,
  context: DeliveryContext,
): PushQueue {
  const { push, random } = context.settings
  const stopping = new AbortController()
  // One wait per lane that failed, and every one listens.
  setMaxListeners(0, stopping.signal)
  const queue: Queue = {
    ...context,
    streamId,
    stopping,
    lanes: createLanes(),
    health: createPushHealth(push.maxInFlight, push.backoff, random),
    settled: createSettleLater(streamId, context, (cause) => reportStorage(queue, cause)),
    post: (set) => poster.post(target, set),
    underWay: new Set(),
    after: 0,
    mayHaveMore: true,
    hasBegun: false,
    isReading: false,
    isHeld: false,
  }
  void start(queue, begin)
  return {
    get fault() {
      return queue.health.fault
    },
    wake: () => {
      queue.mayHaveMore = true
      pump(queue)
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(queue.underWay)
      await queue.settled.flush()
    },
  }
}

interface Queue extends DeliveryContext {
  readonly streamId: string
  readonly stopping: AbortController
  readonly lanes: Lanes
  readonly health: PushHealth
  readonly settled: SettleLater
  readonly post: (set: string) => Promise<Answer>
  /** The attempts. They never reject. */
  readonly underWay: Set<Promise<void>>
  /** `seq` of the last row that was read. */
  after: number
  mayHaveMore: boolean
  hasBegun: boolean
  isReading: boolean
  /** Nothing is to be sent for now, whatever the lane. */
  isHeld: boolean
}

async function start(queue: Queue, begin: Promise<void>): Promise<void> {
  await begin
  queue.hasBegun = true
  pump(queue)
}

/** Starts what can be started. Called whenever something has changed. */
function pump(queue: Queue): void {
  const { lanes, health, underWay, stopping } = queue
  if (!queue.hasBegun) return
  while (!stopping.signal.aborted && !queue.isHeld && underWay.size < health.width()) {
    const lane = lanes.take()
    if (!lane) break
    const running = attempt(queue, lane).finally(() => {
      underWay.delete(running)
      pump(queue)
    })
    underWay.add(running)
  }
  if (queue.mayHaveMore && !queue.isReading && lanes.size < windowSize / 2) void read(queue)
}

async function read(queue: Queue): Promise<void> {
  const { store, lanes, streamId, stopping } = queue
  if (stopping.signal.aborted) return
  queue.isReading = true
  queue.mayHaveMore = false
  const limit = windowSize - lanes.size
  try {
    const rows = await store.readRows(streamId, queue.after, limit)
    for (const row of rows) lanes.add(row)
    queue.after = rows.at(-1)?.seq ?? queue.after
    if (rows.length === limit) queue.mayHaveMore = true
  } catch (cause) {
    reportStorage(queue, cause)
    queue.mayHaveMore = true
    await queue.clock.sleep(storeRetryMs, stopping.signal)
  }
  queue.isReading = false
  pump(queue)
}

/** Delivers the first row of a lane, or does not, and gives the lane back. Never rejects. */
async function attempt(queue: Queue, lane: Lane): Promise<void> {
  const row = lane.rows[0]
  if (!row) return
  const answer = await send(queue, row.claims)
  if (!answer) return
  const { outcome, reason } = judge(queue, answer)
  const { streamId, clock, emitter } = queue
  const about = { at: clock.now(), stream_id: streamId, jti: row.jti }
  switch (outcome) {
    case 'delivered':
      queue.health.succeeded()
      queue.settled.add(row.jti)
      queue.lanes.next(lane)
      emitter.emit('set:delivered', about)
      return
    case 'refused':
      await bury(queue, row.jti, reason)
      queue.lanes.next(lane)
      return
    case 'retry':
    case 'stream-at-fault': {
      lane.failures++
      const retryInMs = wait(queue, lane, { outcome, reason }, answer)
      emitter.emit('delivery:failed', { ...about, reason, attempt: lane.failures, retryInMs })
    }
  }
}

async function send(queue: Queue, claims: string): Promise<Answer | undefined> {
  let set: string
  try {
    set = await mintSet(claims, queue.key())
  } catch {
    return { status: 0, body: '', failure: 'the SET could not be signed' }
  }
  // The stream may have been stopped while the signature was made: nothing leaves it then.
  return queue.stopping.signal.aborted ? undefined : queue.post(set)
}

/** The verdict on one attempt, in the light of the ones before. */
function judge({ health }: Queue, answer: Answer): Verdict {
  const judged = verdict(answer)
  return judged.outcome === 'refused' && !health.refused()
    ? { ...judged, outcome: 'stream-at-fault' }
    : judged
}

async function bury(queue: Queue, jti: string, reason: string): Promise<void> {
  const { store, streamId, clock, emitter } = queue
  const at = clock.now()
  try {
    await store.bury(streamId, jti, { reason, at })
    emitter.emit('set:refused', { at, stream_id: streamId, jti, reason })
  } catch (cause) {
    reportStorage(queue, cause)
  }
}

/** Lets the lane wait, and the whole stream where the answer was about it. */
function wait(queue: Queue, lane: Lane, { outcome, reason }: Verdict, answer: Answer): number {
  const { health, clock, settings, stopping } = queue
  const isAtFault = outcome === 'stream-at-fault'
  const backoff = backoffMs(settings.push.backoff, lane.failures, settings.random())
  const askedMs = isAtFault ? undefined : retryAfterMs(answer.retryAfter, clock.now())
  if (askedMs !== undefined) {
    health.asked()
    hold(queue, askedMs)
  } else if (isAtFault && !queue.isHeld) {
    hold(queue, health.failed(reason))
  }
  const laneMs = isAtFault ? Math.min(backoff, longestProbeMs) : backoff
  const retryInMs = Math.max(laneMs, askedMs ?? 0)
  void clock.sleep(retryInMs, stopping.signal).finally(() => {
    queue.lanes.again(lane)
    pump(queue)
  })
  return retryInMs
}

function hold(queue: Queue, ms: number): void {
  if (queue.isHeld) return
  queue.isHeld = true
  void queue.clock.sleep(ms, queue.stopping.signal).finally(() => {
    queue.isHeld = false
    pump(queue)
  })
}

function reportStorage({ emitter, clock }: DeliveryContext, cause: unknown): void {
  emitter.emit('storage:failed', { at: clock.now(), cause })
}
