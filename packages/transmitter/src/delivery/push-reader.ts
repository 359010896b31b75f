import type { EntryKind, OutboxRow } from '../store/transmitter-store.ts'
import type { QueueContext } from './delivery-context.ts'
import { laneRows, type Lanes } from './lanes.ts'
import { reportStorage } from './report-storage.ts'
import type { Leaving } from './what-leaves.ts'

/** Brings rows of the store into the lanes of a queue, never more than fit into memory. */
export interface PushReader {
  /** Says that there may be new rows. */
  wake(): void
  /** Reads, if the lanes have room and there is something to read. */
  read(): void
}

/** What a reader serves. */
export interface PushReaderPlan {
  readonly streamId: string
  readonly leaving: Leaving
  readonly lanes: Lanes
  readonly stopping: AbortSignal
  /** Called after each time something was read. */
  readonly hasRead: () => void
}

/** Rows in memory per stream that can go out; the rest waits in the store. */
const windowSize = 1000
/** Lanes that are stuck take memory too. So many of them are a stream at fault. */
const mostStuck = 4000
const storeRetryMs = 1000

interface Reader extends PushReaderPlan, Pick<QueueContext, 'store' | 'clock' | 'emitter'> {
  /** `seq` of the last event that was read for the first time. */
  last: number
  hasAnnouncements: boolean
  mayHaveMore: boolean
  isReading: boolean
}

/** Makes the reader of one queue. */
export function createPushReader(
  plan: PushReaderPlan,
  { store, clock, emitter }: QueueContext,
): PushReader {
  const reader: Reader = {
    ...plan,
    store,
    clock,
    emitter,
    last: 0,
    hasAnnouncements: false,
    mayHaveMore: plan.leaving === 'all',
    isReading: false,
  }
  return {
    wake: () => {
      if (plan.leaving === 'all') reader.mayHaveMore = true
    },
    read: () => {
      const step = reader.isReading || plan.stopping.aborted ? undefined : nextStep(reader)
      if (step) void run(reader, step)
    },
  }
}

/** What is to be read now, if anything. Announcements first: they go out first. */
function nextStep(reader: Reader): ((reader: Reader) => Promise<void>) | undefined {
  const { lanes, hasAnnouncements, mayHaveMore } = reader
  if (!hasAnnouncements) return readAnnouncements
  if (lanes.hungryFrom !== undefined) return readAgain
  const hasRoom = lanes.size < windowSize / 2 && lanes.stuck < mostStuck
  return mayHaveMore && hasRoom ? readOn : undefined
}

async function run(reader: Reader, step: (reader: Reader) => Promise<void>): Promise<void> {
  const { clock, stopping, hasRead } = reader
  reader.isReading = true
  try {
    await step(reader)
  } catch (cause) {
    reportStorage(reader, cause)
    await clock.sleep(storeRetryMs, stopping)
  }
  reader.isReading = false
  hasRead()
}

const rowsOf = (
  { store, streamId }: Reader,
  kind: EntryKind,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly OutboxRow[]> => store.readRows(streamId, { kind, after, limit })

/** Once: another announcement comes with another status, and that makes another queue. */
async function readAnnouncements(reader: Reader): Promise<void> {
  const rows = await rowsOf(reader, 'announcement', { after: 0, limit: windowSize })
  for (const row of rows) reader.lanes.add(row)
  reader.hasAnnouncements = true
}

async function readOn(reader: Reader): Promise<void> {
  const { lanes } = reader
  const limit = windowSize - lanes.size
  reader.mayHaveMore = false
  try {
    const rows = await rowsOf(reader, 'event', { after: reader.last, limit })
    for (const row of rows) lanes.add(row)
    reader.last = rows.at(-1)?.seq ?? reader.last
    if (rows.length === limit) reader.mayHaveMore = true
  } catch (cause) {
    reader.mayHaveMore = true
    throw cause
  }
}

/**
 * Reads once more what was left in the store for want of room. Rows that were delivered are gone
 * from there, so that each is read a few times at most.
 */
async function readAgain(reader: Reader): Promise<void> {
  const { lanes, last } = reader
  const from = lanes.hungryFrom ?? 0
  const rows = await rowsOf(reader, 'event', { after: from - 1, limit: laneRows })
  const to = rows.length < laneRows ? last : Math.min(last, rows.at(-1)?.seq ?? last)
  lanes.refill({ rows: rows.filter(({ seq }) => seq <= last), from, to, last })
}
