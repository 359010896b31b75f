import type { Stream } from '../streams/stream.ts'

/** What may leave a stream: events and announcements, announcements only, or nothing. */
export type Leaving = 'all' | 'announcements' | 'nothing'

/**
 * Tells what may leave a stream in its status. The announcement that the Transmitter has stopped it
 * still leaves it; of what its Receiver has stopped, nothing does.
 *
 * @see OpenID SSF 1.0, "Stream Updated Event"; "Reading a Stream's Status"
 */
export function whatLeaves({
  status,
  status_set_by: by,
}: Pick<Stream, 'status' | 'status_set_by'>): Leaving {
  if (status === 'enabled') return 'all'
  return by === 'transmitter' ? 'announcements' : 'nothing'
}
