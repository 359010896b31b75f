import type { PollRequest, PollResponse } from '@drawbridge/schema'
import { mintSet } from '../mint-set.ts'
import type { OutboxRow } from '../store/transmitter-store.ts'
import type { DeliveryContext } from './delivery-context.ts'
import { createOffers, type Offers } from './offers.ts'
import { printable } from './verdict.ts'
import { createWaiters, type Waiters } from './waiters.ts'

/** Answers the polls of one stream. */
export interface PollQueue {
  /**
   * Processes what the poll acknowledges, then selects, waiting for rows where the poll allows it.
   * An ended wait is an answer without SETs.
   *
   * @param signal Ends the wait, when the Receiver has gone
   */
  answer(request: PollRequest, signal: AbortSignal): Promise<PollResponse>
  /** Lets every waiting poll look again. */
  wake(): void
  /** Ends all waits, for good. */
  stop(): void
}

/** Makes the poll queue of one stream. */
export function createPollQueue(
  streamId: string,
  /** Whether SETs may leave the stream now. */
  isEnabled: () => boolean,
  context: DeliveryContext,
): PollQueue {
  const waiters = createWaiters(context.clock)
  const offers = createOffers(streamId, context)
  const queue: Queue = { ...context, streamId, isEnabled, waiters, offers }
  return {
    answer: async (request, signal) => {
      await acknowledge(queue, request)
      const { rows, hasMore } = await select(queue, request, signal)
      const sets = await Promise.all(rows.map(({ claims }) => mintSet(claims, context.key())))
      if (signal.aborted) offers.withdraw(rows)
      return {
        sets: Object.fromEntries(rows.map(({ jti }, index) => [jti, sets[index] ?? ''])),
        ...(hasMore ? { moreAvailable: true } : {}),
      }
    },
    wake: () => waiters.wake(),
    stop: () => waiters.stop(),
  }
}

interface Queue extends DeliveryContext {
  readonly streamId: string
  readonly isEnabled: () => boolean
  readonly waiters: Waiters
  readonly offers: Offers
}

/**
 * Applies `ack` and `setErrs`, before anything is selected.
 *
 * @see RFC 8936, "Acknowledging SETs"; "Error Response"
 */
async function acknowledge(queue: Queue, { ack = [], setErrs = {} }: PollRequest): Promise<void> {
  const { store, streamId, offers, clock, emitter } = queue
  const at = clock.now()
  if (ack.length > 0) {
    await store.settle(streamId, ack)
    for (const jti of ack) {
      if (offers.forget(jti)) emitter.emit('set:delivered', { at, stream_id: streamId, jti })
    }
  }
  for (const [jti, { err, description }] of Object.entries(setErrs)) {
    const reason = printable(typeof description === 'string' ? `${err}: ${description}` : err)
    offers.forget(jti)
    if (await store.bury(streamId, jti, { reason, at })) {
      emitter.emit('set:refused', { at, stream_id: streamId, jti, reason })
    }
  }
}

interface Selection {
  readonly rows: readonly OutboxRow[]
  readonly hasMore: boolean
}

async function select(
  { settings, clock, isEnabled, waiters, offers }: Queue,
  { maxEvents, returnImmediately }: PollRequest,
  signal: AbortSignal,
): Promise<Selection> {
  const limit = Math.min(maxEvents ?? settings.poll.maxEvents, settings.poll.maxEvents)
  const deadline = clock.now() + settings.poll.longPollMs
  for (;;) {
    const seen = waiters.wakes
    const selection = isEnabled() ? await offers.make(limit) : { rows: [], hasMore: false }
    // A poll that wants none has nothing to wait for.
    if (selection.rows.length > 0 || limit === 0 || returnImmediately) return selection
    const remaining = deadline - clock.now()
    if (remaining <= 0 || signal.aborted || waiters.isStopped) return selection
    // A stopped stream is waited for like an empty one: its Receiver would spin otherwise.
    await waiters.wait(Math.min(remaining, offers.dueInMs()), seen, signal)
  }
}
