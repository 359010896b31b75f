import type { PollRequest, PollResponse } from '@drawbridge/schema'
import type { QueueContext } from './delivery-context.ts'
import type { Offer } from './offer-book.ts'
import { createOffers, type Offers, type Selection } from './offers.ts'
import { acknowledge, type Acknowledged } from './poll-acknowledge.ts'
import { createPollHealth, retryMs, type PollHealth, type PollParts } from './poll-parts.ts'
import { createWaiters } from './waiters.ts'
import type { Leaving } from './what-leaves.ts'

/** A poll, and how long it may be held at most, in milliseconds. Default: as the Transmitter says. */
export type PollWanted = PollRequest & { readonly longestMs?: number }

/** Answers the polls of one stream. */
export interface PollQueue {
  readonly health: PollHealth
  /** How many SETs are on offer. */
  readonly inFlight: number
  /**
   * Processes what the poll acknowledges, then selects, waiting for rows where the poll allows it.
   * An ended wait is an answer without SETs.
   *
   * @param signal Ends the wait, when the Receiver has gone
   */
  answer(request: PollWanted, signal: AbortSignal): Promise<PollResponse>
  /** Says what may leave the stream from now on, and that its status has changed. */
  update(leaving: Leaving, rowsAreDropped: boolean): void
  /** Says that there are new rows. */
  wake(): void
  /** Ends all waits, for good. Resolves when the polls under way are answered. */
  stop(): Promise<void>
}

/** Makes the poll queue of one stream. */
export function createPollQueue(streamId: string, context: QueueContext): PollQueue {
  let leaving: Leaving = 'nothing'
  const underWay = new Set<Promise<PollResponse>>()
  const parts = makeParts(streamId, context, () => leaving)
  const { waiters, offers, health, forgetOffers } = parts
  return {
    health,
    get inFlight() {
      return offers.announcements.size + offers.events.size
    },
    answer: (request, signal) => {
      const answering = answer(parts, request, signal).finally(() => underWay.delete(answering))
      underWay.add(answering)
      return answering
    },
    update: (now, rowsAreDropped) => {
      leaving = now
      // What was offered of them is not to keep others waiting.
      if (rowsAreDropped) void offers.events.reset()
      waiters.wake()
    },
    wake: () => waiters.wake(),
    stop: async () => {
      forgetOffers()
      waiters.stop()
      await Promise.allSettled(underWay)
    },
  }
}

function makeParts(streamId: string, context: QueueContext, leaving: () => Leaving): PollParts {
  const { clock, emitter, timetable } = context
  const waiters = createWaiters(timetable)
  const isDue = (): void => waiters.wake()
  const failed = (offer: Offer): number => {
    const at = clock.now()
    const retryInMs = retryMs(context, ++offer.failures)
    const reason = 'whether the Receiver may learn of it could not be found out'
    const about = { at, stream_id: streamId, jti: offer.jti }
    emitter.emit('delivery:failed', { ...about, reason, attempt: offer.failures, retryInMs })
    return at + retryInMs
  }
  const offersOf = (kind: 'announcement' | 'event'): Offers =>
    createOffers({ streamId, kind, isDue, failed }, context)
  const offers = { announcements: offersOf('announcement'), events: offersOf('event') }
  const watchOffers = (): void => {
    const times = [offers.announcements.overdueAt(), offers.events.overdueAt()]
    const next = Math.min(...times.filter((at) => at !== undefined))
    if (Number.isFinite(next)) timetable.add(isDue, next)
  }
  return {
    ...context,
    streamId,
    offers,
    waiters,
    health: createPollHealth(),
    leaving,
    watchOffers,
    forgetOffers: () => timetable.delete(isDue),
  }
}

async function answer(
  parts: PollParts,
  request: PollWanted,
  signal: AbortSignal,
): Promise<PollResponse> {
  const { offers, waiters, mint, streamId, watchOffers } = parts
  const { durable } = await acknowledge(parts, request)
  const { announcements, events, hasMore } = await select(parts, { durable, ...request }, signal)
  const rows = [...announcements, ...events]
  const withdraw = (): void => {
    offers.announcements.withdraw(announcements)
    offers.events.withdraw(events)
    if (rows.length > 0) waiters.wake()
  }
  try {
    const sets = await Promise.all(rows.map(({ claims }) => mint(streamId, claims)))
    await durable
    if (signal.aborted) withdraw()
    else if (hasMore) waiters.wake()
    watchOffers()
    if (hasMore) void signAhead(parts, events)
    return {
      sets: Object.fromEntries(rows.map(({ jti }, index) => [jti, sets[index] ?? ''])),
      ...(hasMore ? { moreAvailable: true } : {}),
    }
  } catch (error) {
    withdraw()
    throw error
  }
}

/** Signs what comes after these, while their Receiver reads them. Never rejects. */
async function signAhead(
  { store, streamId, mintAhead }: PollParts,
  offered: Selection['rows'],
): Promise<void> {
  const last = offered.at(-1)
  if (!last) return
  try {
    const page = { kind: 'event', after: last.seq, limit: offered.length } as const
    const next = await store.readRows(streamId, page)
    mintAhead(
      streamId,
      next.map(({ claims }) => claims),
    )
  } catch {
    // The poll that wants them reads them itself, and tells what is wrong.
  }
}

interface Selected {
  readonly announcements: Selection['rows']
  readonly events: Selection['rows']
  readonly hasMore: boolean
}

const nothing: Selection = { rows: [], hasMore: false }

async function select(
  parts: PollParts,
  { maxEvents, returnImmediately, longestMs = Infinity, durable }: PollWanted & Acknowledged,
  signal: AbortSignal,
): Promise<Selected> {
  const { settings, clock, waiters, watchOffers } = parts
  const limit = Math.min(maxEvents ?? settings.poll.maxEvents, settings.poll.maxEvents)
  const deadline = clock.now() + Math.min(settings.poll.longPollMs, longestMs)
  for (;;) {
    const seen = waiters.wakes
    const selected = await selectNow(parts, limit)
    const isEmpty = selected.announcements.length + selected.events.length === 0
    // A poll that wants none has nothing to wait for.
    if (!isEmpty || limit === 0 || returnImmediately) return selected
    if (clock.now() >= deadline || signal.aborted || waiters.isStopped) return selected
    await durable
    watchOffers()
    // A stopped stream is waited for like an empty one: its Receiver would spin otherwise. That of
    // one that is deleted meanwhile gets the answer of an ended wait, since its acknowledgements
    // were processed; its next poll is 404.
    await waiters.wait(deadline, seen, signal)
    if (waiters.isStopped) return { announcements: [], events: [], hasMore: false }
  }
}

/** Announcements first: they are why the stream has stopped, or goes on. */
async function selectNow({ offers, leaving }: PollParts, limit: number): Promise<Selected> {
  const may = leaving()
  const first = may === 'nothing' ? nothing : await offers.announcements.make(limit)
  // Looked at anew: it may have been stopped while the store was read.
  const then = leaving() === 'all' ? await offers.events.make(limit - first.rows.length) : nothing
  return {
    announcements: first.rows,
    events: then.rows,
    hasMore: first.hasMore || then.hasMore,
  }
}
