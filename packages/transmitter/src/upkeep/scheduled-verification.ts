import type { Delivery } from '../delivery/delivery.ts'
import type { IssuerStore } from '../store/transmitter-store.ts'
import { sendVerification } from '../streams/send-verification.ts'
import type { StreamManagement } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import type { UpkeepTask } from './upkeep.ts'

/** What {@link verificationTask} needs. */
export interface VerificationContext {
  readonly management: StreamManagement
  readonly store: Pick<IssuerStore, 'backlog'>
  readonly delivery: Pick<Delivery, 'healthOf'>
}

const longestLookMs = 60_000

/**
 * Verifies each enabled stream when it has its turn. The turns follow from the `stream_id` and the
 * clock: nothing has to be remembered over a restart, and not all streams have theirs at once. What
 * has waited for half the time between two turns, such as the verification of the last one, will
 * show its Receiver as much as another event, so that none are piled up.
 *
 * @see OpenID SSF 1.0, "Verification"
 */
export function verificationTask(context: VerificationContext, everySeconds: number): UpkeepTask {
  const { streams, settings } = context.management
  const everyMs = everySeconds * 1000
  let seenUntil = settings.clock.now()
  return {
    name: 'verification',
    run: async (now) => {
      const from = seenUntil
      seenUntil = now
      const enabled = streams.list().filter(({ status }) => status === 'enabled')
      for (const stream of enabled) {
        if (turnAfter(stream.stream_id, from, everyMs) > now) continue
        if (await isQuiet(context, stream, now - everyMs / 2)) {
          await sendVerification(context.management, stream)
        }
      }
      const turns = enabled.map(({ stream_id }) => turnAfter(stream_id, now, everyMs))
      return Math.min(now + Math.min(everyMs, longestLookMs), ...turns)
    },
  }
}

async function isQuiet(
  { store, delivery }: VerificationContext,
  { stream_id }: Stream,
  since: number,
): Promise<boolean> {
  if (delivery.healthOf(stream_id).fault !== undefined) return false
  const { oldest_at: oldest = Infinity } = await store.backlog(stream_id)
  return oldest > since
}

/** The next turn of a stream after a time, in milliseconds since 1970. */
export function turnAfter(streamId: string, after: number, everyMs: number): number {
  const offset = hash(streamId) % everyMs
  return offset + (Math.floor((after - offset) / everyMs) + 1) * everyMs
}

/** FNV-1a, 32 bits: spreads the streams. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
