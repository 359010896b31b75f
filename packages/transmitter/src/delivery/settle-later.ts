import type { QueueContext } from './delivery-context.ts'
import { keptAt } from './kept-at.ts'

/** Takes delivered rows off in batches: one commit for many. */
export interface SettleLater {
  /** Notes that a row was delivered. */
  add(jti: string): void
  /** Takes off now what was noted. */
  flush(): Promise<void>
}

/** A crash within it repeats deliveries, which a Receiver answers like the first. */
const batchMs = 50
const nextBatch = (now: number): number => (Math.floor(now / batchMs) + 1) * batchMs
const batchSize = 500

/**
 * Makes a batch for one stream.
 *
 * @param failed Told what the store threw. The rows stay, and are delivered again after a restart
 */
export function createSettleLater(
  streamId: string,
  { store, clock, timetable, settings }: QueueContext,
  failed: (cause: unknown) => void,
): SettleLater {
  let jtis: string[] = []
  const flush = async (): Promise<void> => {
    const batch = jtis
    jtis = []
    timetable.delete(due)
    if (batch.length === 0) return
    try {
      await store.settle(streamId, batch, keptAt(settings, clock.now()))
    } catch (cause) {
      failed(cause)
    }
  }
  const due = (): void => void flush()
  return {
    flush,
    add: (jti) => {
      jtis.push(jti)
      // At the same moment for all streams: they share a commit.
      if (jtis.length === 1) timetable.add(due, nextBatch(clock.now()))
      if (jtis.length === batchSize) void flush()
    },
  }
}
