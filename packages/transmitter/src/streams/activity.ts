import type { IssuerStore } from '../store/transmitter-store.ts'
import type { Stream } from './stream.ts'

/** When the Receivers of streams were active last. */
export interface Activity {
  /** Notes that the Receiver of a stream is active now. */
  note(streamId: string): void
  /** When it was, in milliseconds since 1970: at the earliest, when a stream became known here. */
  lastOf(streamId: string): number
  /** Forgets a stream that was deleted. */
  forget(streamId: string): void
  /** Writes what is new. What is noted is not written at once, so that a poll writes nothing. */
  write(): Promise<void>
}

/** What {@link openActivity} needs. */
export interface ActivityContext {
  readonly store: Pick<IssuerStore, 'noteActivity'>
  readonly streams: readonly Stream[]
  /** Whether anybody asks: else nothing is noted, and what was noted once does not count later. */
  readonly isCounted: boolean
  readonly now: () => number
}

/**
 * Takes up what was noted before the last stop, so that a restart does not begin the count anew.
 *
 * @see OpenID SSF 1.0, "Stream Configuration" (`inactivity_timeout`)
 */
export async function openActivity(context: ActivityContext): Promise<Activity> {
  const { store, streams, isCounted, now } = context
  if (!isCounted) {
    await forgetAll(context)
    return { note: () => {}, lastOf: now, forget: () => {}, write: async () => {} }
  }
  const last = new Map<string, number>()
  const unwritten = new Set<string>()
  const note = (streamId: string): void => {
    last.set(streamId, now())
    unwritten.add(streamId)
  }
  for (const { stream_id, active_at: at } of streams) {
    if (at) last.set(stream_id, at)
    else note(stream_id)
  }
  const lastOf = (streamId: string): number => {
    if (!last.has(streamId)) note(streamId)
    return last.get(streamId) ?? now()
  }
  return {
    note,
    lastOf,
    forget: (streamId) => {
      last.delete(streamId)
      unwritten.delete(streamId)
    },
    write: async () => {
      const writing = new Map(Array.from(unwritten, (streamId) => [streamId, lastOf(streamId)]))
      if (writing.size === 0) return
      unwritten.clear()
      try {
        await store.noteActivity(writing)
      } catch (error) {
        for (const streamId of writing.keys()) if (last.has(streamId)) unwritten.add(streamId)
        throw error
      }
    },
  }
}

/** Nobody counted meanwhile: a count that is switched on again begins anew. */
async function forgetAll({ store, streams }: ActivityContext): Promise<void> {
  const noted = streams.filter(({ active_at: at }) => at)
  if (noted.length === 0) return
  await store.noteActivity(new Map(noted.map(({ stream_id }) => [stream_id, 0])))
}
