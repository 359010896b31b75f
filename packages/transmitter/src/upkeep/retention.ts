import type { Delivery } from '../delivery/delivery.ts'
import type { LifeSettings } from '../life-options.ts'
import type { Backlog, IssuerStore, RowLimits } from '../store/transmitter-store.ts'
import { setStatus } from '../streams/set-status.ts'
import type { StreamManagement } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import type { UpkeepTask } from './upkeep.ts'

/** Events that waited and were dropped: they were too old, or too many. */
export interface EventsDropped {
  readonly stream_id: string
  readonly count: number
  readonly because: 'age' | 'rows'
}

/** What {@link retentionTask} needs. */
export interface RetentionContext {
  readonly management: StreamManagement
  readonly store: IssuerStore
  readonly delivery: Pick<Delivery, 'healthOf'>
  readonly dropped: (dropped: EventsDropped) => void
}

const longestLookMs = 60_000
const shortestLookMs = 1000

/**
 * Drops what is over the limits of `retention`, and tells how much. A stream at fault is paused by
 * that, and not before: its Receiver learns of it when it comes back, and nothing is tried in vain
 * meanwhile.
 */
export function retentionTask(context: RetentionContext): UpkeepTask {
  const { management, store } = context
  const { streams, settings } = management
  const { maxAgeSeconds, deliveredSeconds, deadLetterSeconds } = settings.retention
  const lookMs = Math.max(shortestLookMs, Math.min((maxAgeSeconds * 1000) / 10, longestLookMs))
  return {
    name: 'retention',
    run: async (now) => {
      for (const stream of streams.list()) await dropOver(context, stream, now)
      await store.forget({
        delivered: now - deliveredSeconds * 1000,
        buried: now - deadLetterSeconds * 1000,
      })
      return now + lookMs
    },
  }
}

async function dropOver(context: RetentionContext, stream: Stream, now: number): Promise<void> {
  const { management, store, delivery, dropped } = context
  const { stream_id } = stream
  const over = overLimits(await store.backlog(stream_id), management.settings.retention, now)
  const { fault } = delivery.healthOf(stream_id)
  if (over.length > 0 && fault !== undefined && stream.status === 'enabled') {
    await setStatus(management, stream, { status: 'paused', reason: fault })
  }
  for (const { because, limits } of over) {
    const count = await store.dropRows(stream_id, limits)
    if (count > 0) dropped({ stream_id, count, because })
  }
}

interface Over {
  readonly because: EventsDropped['because']
  readonly limits: RowLimits
}

/** Which limits of a stream are reached. */
function overLimits(
  { rows, oldest_at: oldest = Infinity }: Backlog,
  { maxRows, maxAgeSeconds }: LifeSettings['retention'],
  now: number,
): readonly Over[] {
  const recordedBefore = now - maxAgeSeconds * 1000
  return [
    ...(oldest < recordedBefore ? [{ because: 'age' as const, limits: { recordedBefore } }] : []),
    ...(rows > maxRows ? [{ because: 'rows' as const, limits: { maxRows } }] : []),
  ]
}
