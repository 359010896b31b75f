import { backoffMs, retryAfterMs } from '@drawbridge/core'
import type { OutboxRow } from '../store/transmitter-store.ts'
import type { Lane } from './lanes.ts'
import { consequence, longestProbeMs } from './push-health.ts'
import type { PushParts } from './push-parts.ts'
import { reportStorage } from './report-storage.ts'
import { verdict, type Answer, type Outcome } from './verdict.ts'
import { withhold } from './withhold.ts'

/** How long it may take to show whose fault a refusal is. */
const doubtMs = 500

/** Delivers the first row of a lane, or does not, and gives the lane back. Never rejects. */
export async function attempt(queue: PushParts, lane: Lane): Promise<void> {
  const [row] = lane.rows
  if (!row) return
  const number = queue.health.begin()
  const answer = await send(queue, row)
  if (answer === 'stopped') return
  if (answer === 'withheld') {
    queue.lanes.next(lane)
    return
  }
  const { outcome, reason } = verdict(answer)
  if (outcome === 'delivered') delivered(queue, lane, { row, number })
  else await failed(queue, lane, { row, answer, outcome, reason })
}

async function send(queue: PushParts, row: OutboxRow): Promise<Answer | 'stopped' | 'withheld'> {
  const { streamId, stopping } = queue
  let may: boolean
  try {
    may = await queue.mayLeave(streamId, row.claims)
  } catch {
    return notSent('whether the Receiver may learn of it could not be found out')
  }
  // The stream may have been stopped meanwhile: nothing leaves it then.
  if (stopping.aborted) return 'stopped'
  if (!may) {
    await withhold(queue, streamId, row.jti)
    return 'withheld'
  }
  let set: string
  try {
    set = await queue.mint(streamId, row.claims)
  } catch {
    return notSent('the SET could not be signed')
  }
  return stopping.aborted ? 'stopped' : queue.post(set)
}

const notSent = (failure: string): Answer => ({ status: 0, body: '', failure })

function delivered(
  queue: PushParts,
  lane: Lane,
  { row, number }: { readonly row: OutboxRow; readonly number: number },
): void {
  const { health, settled, lanes, emitter, clock, streamId } = queue
  const at = clock.now()
  const hasRecovered = health.succeeded(number)
  settled.add(row.jti)
  lanes.next(lane)
  queue.delivered(at)
  emitter.emit('set:delivered', { at, stream_id: streamId, jti: row.jti })
  for (const [refused, { giveUp }] of queue.setAside) {
    if (health.isOwnFault(refused)) giveUp()
  }
  // Their backoff was about the stream, and that is well again.
  if (hasRecovered) for (const again of queue.waiting.values()) again()
}

interface Failed {
  readonly row: OutboxRow
  readonly answer: Answer
  readonly outcome: Exclude<Outcome, 'delivered'>
  readonly reason: string
}

async function failed(queue: PushParts, lane: Lane, failure: Failed): Promise<void> {
  const { health, lanes } = queue
  const { row, reason, outcome } = failure
  lanes.failed(lane)
  lane.failingSince ??= health.latest
  health.failed(lane, reason)
  const isOwnFault = health.isOwnFault(lane)
  const areSeveral = health.areSeveral()
  const isSpent = hasHadItsTime(queue, lane, row)
  switch (consequence({ outcome, isOwnFault, areSeveral, isSpent })) {
    case 'bury':
      await bury(queue, lane, { row, reason })
      return
    case 'set-aside':
      setAside(queue, lane, { row, reason })
      return
    case 'hold':
      if (!queue.hold) hold(queue, health.hold(reason))
      takeUp(queue, failure.answer)
      wait(queue, lane, failure)
      return
    case 'wait':
      wait(queue, lane, failure)
  }
}

function hasHadItsTime(
  { clock, settings }: PushParts,
  { failures }: Lane,
  { recorded_at: recordedAt }: OutboxRow,
): boolean {
  const { maxAttempts, maxAgeSeconds } = settings.push
  return failures >= maxAttempts && clock.now() - recordedAt >= maxAgeSeconds * 1000
}

interface Refused {
  readonly row: OutboxRow
  readonly reason: string
}

async function bury(queue: PushParts, lane: Lane, { row, reason }: Refused): Promise<void> {
  const { store, streamId, clock, emitter, lanes } = queue
  const at = clock.now()
  try {
    await store.bury(streamId, row.jti, { reason, at })
    emitter.emit('set:refused', { at, stream_id: streamId, jti: row.jti, reason })
  } catch (cause) {
    reportStorage(queue, cause)
  }
  lanes.next(lane)
}

/**
 * Waits with a refused SET until it shows whose fault it is: a Receiver that broke a moment ago
 * refuses everything, and none of that may be buried.
 */
function setAside(queue: PushParts, lane: Lane, refused: Refused): void {
  const { timetable, clock, underWay, pump } = queue
  const giveUp = (): void => {
    queue.setAside.delete(lane)
    timetable.delete(giveUp)
    const burying = bury(queue, lane, refused).finally(() => {
      underWay.delete(burying)
      pump()
    })
    // The queue has not ended before this has.
    underWay.add(burying)
  }
  if (queue.stopping.aborted) return
  queue.setAside.set(lane, { ...refused, giveUp })
  timetable.add(giveUp, clock.now() + doubtMs)
}

/** Takes up again what was set aside: the stream is to blame for it. */
function takeUp(queue: PushParts, answer: Answer): void {
  for (const [lane, { row, reason, giveUp }] of queue.setAside) {
    queue.timetable.delete(giveUp)
    wait(queue, lane, { row, reason, answer, outcome: 'stream-at-fault' })
  }
  queue.setAside.clear()
}

/** Lets the lane wait, and the whole stream where the Receiver has asked for it. */
function wait(queue: PushParts, lane: Lane, { row, answer, outcome, reason }: Failed): void {
  const { clock, settings, timetable, emitter, streamId, health } = queue
  const at = clock.now()
  const backoff = backoffMs(settings.push.backoff, lane.failures, settings.random())
  const askedMs = outcome === 'retry' ? retryAfterMs(answer.retryAfter, at) : undefined
  // One that answers so to a single SET has not asked the others to wait.
  if (askedMs !== undefined && !health.isOwnFault(lane)) {
    health.asked()
    hold(queue, askedMs)
  }
  const retryInMs = Math.max(Math.min(backoff, longestProbeMs), askedMs ?? 0)
  const again = (): void => {
    timetable.delete(again)
    queue.waiting.delete(lane)
    queue.lanes.again(lane)
    queue.pump()
  }
  if (!queue.stopping.aborted) {
    queue.waiting.set(lane, again)
    timetable.add(again, at + retryInMs)
  }
  const about = { at, stream_id: streamId, jti: row.jti }
  emitter.emit('delivery:failed', { ...about, reason, attempt: lane.failures, retryInMs })
}

/** Sends nothing for a while, whatever the lane. The longest wins. */
function hold(queue: PushParts, ms: number): void {
  const { timetable, clock, stopping } = queue
  const until = clock.now() + ms
  if (stopping.aborted || (queue.hold && queue.hold.until >= until)) return
  if (queue.hold) timetable.delete(queue.hold.end)
  const end = (): void => {
    queue.hold = undefined
    queue.pump()
  }
  queue.hold = { until, end }
  timetable.add(end, until)
}
