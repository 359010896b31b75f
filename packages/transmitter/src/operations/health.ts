import type { StreamStatusValue } from '@drawbridge/schema'
import type { Backlog } from '../store/transmitter-store.ts'
import type { Stream } from '../streams/stream.ts'
import type { OperationContext } from './operation-context.ts'

/** How a Transmitter is. It holds no secret, and nothing about whom the events are. */
export interface TransmitterHealth {
  /**
   * `down`: it is not started, or its store does not answer. `degraded`: a stream is at fault, so
   * that its events wait. `ok`: neither.
   */
  readonly status: 'ok' | 'degraded' | 'down'
  /** Whether it takes events and requests: for a readiness probe. */
  readonly isReady: boolean
  readonly isStoreReachable: boolean
  /** How many streams there are, by status. */
  readonly streams: Readonly<Record<StreamStatusValue, number>>
  /** The streams on which nothing gets through, and since when, in milliseconds since 1970. */
  readonly atFault: readonly { readonly stream_id: string; readonly since: number }[]
  /** How many SETs wait, on all streams. */
  readonly waiting: number
  /** When the oldest of an enabled stream was recorded, in milliseconds since 1970. */
  readonly oldestWaitingAt?: number
  readonly deadLetters: number
  /** When the store was asked, in milliseconds since 1970: five seconds ago at most. */
  readonly asOf: number
}

/** Tells how a Transmitter is. Never rejects. */
export type Health = () => Promise<TransmitterHealth>

/** The store is asked once in this time, however often the health is. */
const freshMs = 5000
/** A store that takes longer for a few counts is as good as none. */
const patienceMs = 2000

/**
 * Makes the health of one Transmitter.
 *
 * @param running The context; undefined while it is not started
 */
export function createHealth(
  running: () => OperationContext | undefined,
  now: () => number,
): Health {
  let known: {
    readonly of: OperationContext
    readonly at: number
    readonly counts: Promise<Counts>
  }
  return async () => {
    const context = running()
    if (!context) return notStartedHealth(now())
    const isFresh = known?.of === context && now() - known.at < freshMs
    if (!isFresh) known = { of: context, at: now(), counts: count(context) }
    const { at, counts } = known
    return health(context, await counts, at)
  }
}

const noStreams = { enabled: 0, paused: 0, disabled: 0 }

const notStartedHealth = (asOf: number): TransmitterHealth => ({
  status: 'down',
  isReady: false,
  isStoreReachable: false,
  streams: noStreams,
  atFault: [],
  waiting: 0,
  deadLetters: 0,
  asOf,
})

type Counts =
  | { readonly isReachable: false }
  | {
      readonly isReachable: true
      readonly waiting: number
      readonly oldest: number
      readonly deadLetters: number
    }

const unreachable: Counts = { isReachable: false }

async function count({ management, store }: OperationContext): Promise<Counts> {
  const { streams, settings } = management
  const done = new AbortController()
  const counted = async (): Promise<Counts> => {
    // Where there is no stream, nothing else would ask the store.
    await store.readKeys()
    const known = streams.list()
    return totals(known, await Promise.all(known.map((stream) => store.backlog(stream.stream_id))))
  }
  const late = settings.clock.sleep(patienceMs, done.signal).then(() => unreachable)
  const counts = await Promise.race([counted().catch(() => unreachable), late])
  done.abort()
  return counts
}

function totals(streams: readonly Stream[], backlogs: readonly Backlog[]): Counts {
  const sum = (value: (backlog: Backlog) => number): number =>
    backlogs.reduce((total, backlog) => total + value(backlog), 0)
  const enabled = backlogs.filter((_, index) => streams[index]?.status === 'enabled')
  return {
    isReachable: true,
    waiting: sum(({ rows }) => rows),
    oldest: enabled.reduce((least, { oldest_at: at = Infinity }) => Math.min(least, at), Infinity),
    deadLetters: sum(({ dead_letters }) => dead_letters),
  }
}

function health(
  { management, delivery }: OperationContext,
  counts: Counts,
  asOf: number,
): TransmitterHealth {
  const streams = management.streams.list()
  const atFault = streams.flatMap(({ stream_id }) => {
    const { faultSince: since } = delivery.healthOf(stream_id)
    return since === undefined ? [] : [{ stream_id, since }]
  })
  const isReady = counts.isReachable
  const { waiting, oldest, deadLetters } = {
    waiting: 0,
    oldest: Infinity,
    deadLetters: 0,
    ...counts,
  }
  return {
    status: isReady ? (atFault.length > 0 ? 'degraded' : 'ok') : 'down',
    isReady,
    isStoreReachable: isReady,
    streams: byStatus(streams),
    atFault,
    waiting,
    ...(oldest === Infinity ? {} : { oldestWaitingAt: oldest }),
    deadLetters,
    asOf,
  }
}

function byStatus(streams: readonly Stream[]): TransmitterHealth['streams'] {
  const counts: Record<StreamStatusValue, number> = { ...noStreams }
  for (const { status } of streams) counts[status]++
  return counts
}
