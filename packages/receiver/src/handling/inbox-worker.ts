import { backoffMs, createLanes, type Backoff, type Clock } from '@drawbridge/core'
import { laneKey, readSet, type SecurityEventToken } from '@drawbridge/schema'
import type { ConnectionEmitter } from '../receiver-events.ts'
import { notInFuture } from './accept-set.ts'
import type { Handlers } from './handlers.ts'
import type { Inbox, InboxRow } from './inbox.ts'

/** Handles the SETs that wait in an inbox. */
export interface InboxWorker {
  /** Takes up what waits. Idempotent. */
  start(): void
  /** Keeps a SET in the inbox and handles it soon. Resolves when it is durable. */
  keep(transmitter: string, set: SecurityEventToken): Promise<void>
  /** Looks for SETs in the inbox. */
  wake(): void
  /** Begins no attempt any more; resolves when those under way have ended. `start` begins anew. */
  stop(): Promise<void>
}

/** What {@link createInboxWorker} needs. */
export interface InboxWorkerParts {
  readonly inbox: Inbox
  readonly handlers: Handlers
  readonly emitterOf: (transmitter: string) => ConnectionEmitter
  readonly clock: Clock
  readonly random: () => number
  /** After so many failed attempts a SET is a dead letter. */
  readonly maxAttempts: number
}

/** SETs in memory; the rest waits in the inbox. */
const windowSize = 500
const backoff: Backoff = { firstMs: 500, longestMs: 300_000 }
const longestReason = 500

/**
 * Makes the worker of an inbox. SETs of one lane are handled one after the other, over failures
 * too; lanes side by side.
 */
export function createInboxWorker(parts: InboxWorkerParts): InboxWorker {
  const { inbox, clock, emitterOf } = parts
  let running: AbortController | undefined
  let lanes = createLanes()
  let after = 0
  let inMemory = 0
  let reading: Promise<void> | undefined
  let again = false
  /** Those that wait for another attempt, each to be woken: on one signal they would be too many. */
  const resting = new Set<AbortController>()

  const rest = async (ms: number): Promise<void> => {
    const end = new AbortController()
    resting.add(end)
    await clock.sleep(ms, end.signal)
    resting.delete(end)
  }
  const hasRoom = (): boolean => inMemory < windowSize
  const take = (row: InboxRow, signal: AbortSignal): void => {
    inMemory++
    void lanes.run(row.lane, async () => {
      await handleUntilDone({ rest, ...parts }, row, signal)
      inMemory--
      if (!signal.aborted && inMemory === Math.floor(windowSize / 2)) wake()
    })
  }
  const read = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && hasRoom()) {
      again = false
      try {
        const rows = await inbox.waiting(after, windowSize - inMemory)
        if (signal.aborted) return
        for (const row of rows) take(row, signal)
        after = rows.at(-1)?.seq ?? after
        if (rows.length === 0 && !again) return
      } catch (cause) {
        emitterOf('').emit('inbox:failed', { at: clock.now(), cause })
        await clock.sleep(1000, signal)
      }
    }
  }
  const wake = (): void => {
    again = true
    if (!running || reading) return
    const { signal } = running
    reading = read(signal).finally(() => {
      reading = undefined
      // What came between the last look and now.
      if (again && !signal.aborted && hasRoom()) wake()
    })
  }

  return {
    wake,
    start: () => {
      if (running) return
      running = new AbortController()
      lanes = createLanes()
      after = inMemory = 0
      wake()
    },
    keep: async (transmitter, { claims }) => {
      const { iss, jti, sub_id: subject } = claims
      const lane = laneKey(subject)
      const received_at = clock.now()
      await inbox.store({
        iss,
        jti,
        transmitter,
        lane,
        claims: JSON.stringify(claims),
        received_at,
      })
      emitterOf(transmitter).emit('set:stored', { at: received_at, iss, jti })
      wake()
    },
    stop: async () => {
      running?.abort()
      running = undefined
      for (const end of resting) end.abort()
      await reading
      await lanes.idle()
    },
  }
}

/** What handling a row needs. */
interface RowParts extends InboxWorkerParts {
  /** Waits, at most until the worker stops. */
  rest(ms: number): Promise<void>
}

/** Handles a SET until it is done or given up. Never rejects; ends early when the signal aborts. */
async function handleUntilDone(parts: RowParts, row: InboxRow, signal: AbortSignal): Promise<void> {
  const { inbox, handlers, clock, random, maxAttempts, rest } = parts
  const emitter = parts.emitterOf(row.transmitter)
  for (let attempts = row.attempts; !signal.aborted;) {
    try {
      const { events } = notInFuture(
        readSet(JSON.parse(row.claims), { severalEvents: 'any' }),
        Math.floor(row.received_at / 1000),
      )
      for (const event of events) await handlers.run(event, signal)
      await inbox.markHandled(row, clock.now())
      for (const event of events) emitter.emit('set:handled', { at: clock.now(), event })
      return
    } catch (cause) {
      // It waited for its turn when the worker stopped: that is no attempt.
      if (signal.aborted && cause === signal.reason) return
      attempts++
      emitter.emit('set:unfinished', { at: clock.now(), cause })
      if (await giveUpOrNote(parts, { row, attempts, cause })) return
      await rest(backoffMs(backoff, Math.min(attempts, maxAttempts), random()))
    }
  }
}

/** True when the SET is a dead letter now. */
async function giveUpOrNote(
  { inbox, clock, emitterOf, maxAttempts }: InboxWorkerParts,
  { row, attempts, cause }: { row: InboxRow; attempts: number; cause: unknown },
): Promise<boolean> {
  const { iss, jti, transmitter } = row
  const at = clock.now()
  try {
    await inbox.noteAttempts(row, attempts)
    if (attempts < maxAttempts) return false
    const { message } = (cause ?? {}) as { message?: unknown }
    const reason = String(message ?? cause).slice(0, longestReason)
    await inbox.bury(row, { reason, at })
    emitterOf(transmitter).emit('set:buried', { at, iss, jti, attempts })
    return true
  } catch (failure) {
    emitterOf(transmitter).emit('inbox:failed', { at, cause: failure })
    return false
  }
}
