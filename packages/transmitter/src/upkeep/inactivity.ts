import type { StreamStatusValue } from '@drawbridge/schema'
import type { InactivityOptions } from '../life-options.ts'
import { removeStream } from '../streams/delete-stream.ts'
import { setStatus } from '../streams/set-status.ts'
import type { StreamManagement } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import type { UpkeepTask } from './upkeep.ts'

const reason = 'no sign of life of the Receiver for the inactivity timeout'
const longestLookMs = 60_000
const longestGraceMs = 3_600_000

/**
 * Pauses, disables or deletes the streams whose Receivers gave no sign of life for as long as the
 * options allow, and writes down now and action when they gave the last one. While the Transmitter
 * was down nobody could give any: after a start, each stream has a tenth of the timeout, an hour at
 * most, whatever its count says.
 *
 * @see OpenID SSF 1.0, "Stream Configuration" (`inactivity_timeout`)
 */
export function inactivityTask(
  management: StreamManagement,
  { timeoutSeconds, action }: InactivityOptions,
): UpkeepTask {
  const { streams, activity, settings } = management
  const timeoutMs = timeoutSeconds * 1000
  const notBefore = settings.clock.now() + Math.min(timeoutMs / 10, longestGraceMs)
  const dueAt = ({ stream_id }: Stream): number =>
    Math.max(activity.lastOf(stream_id) + timeoutMs, notBefore)
  return {
    name: 'inactivity',
    run: async (now) => {
      const concerned = streams.list().filter((stream) => isConcerned(stream, action))
      for (const stream of concerned) {
        if (dueAt(stream) <= now) await end(management, stream, action)
      }
      await activity.write()
      const dues = concerned.map(dueAt).filter((at) => at > now)
      return Math.min(now + Math.min(timeoutMs / 10, longestLookMs), ...dues)
    },
  }
}

const statuses = { pause: 'paused', disable: 'disabled' } as const

/** What is stopped more firmly already is not started by half. A static stream has no timeout. */
function isConcerned({ is_static, status }: Stream, action: InactivityOptions['action']): boolean {
  if (is_static) return false
  return action === 'delete' || rank[status] < rank[statuses[action]]
}

const rank: Readonly<Record<StreamStatusValue, number>> = { enabled: 0, paused: 1, disabled: 2 }

async function end(
  management: StreamManagement,
  stream: Stream,
  action: InactivityOptions['action'],
): Promise<void> {
  if (action === 'delete') await removeStream(management, stream)
  else await setStatus(management, stream, { status: statuses[action], reason })
}
