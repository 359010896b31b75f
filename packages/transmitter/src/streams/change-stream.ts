import { canonicalJson, StreamError, type StreamUpdate } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
import { deliveryOf } from './requested.ts'
import { streamConfiguration } from './stream-configuration.ts'
import { findChangeableStream, noSuchStream, type StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Changes a Receiver's stream, for updating and replacing alike: what it sent of the
 * Transmitter-Supplied members must be what they are before the change.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_STATIC` (403), `ERR_STREAM_REQUEST`
 *   (400)
 */
export async function changeStream(
  management: StreamManagement,
  { stream_id, supplied, request }: StreamUpdate,
  receiver: ReceiverIdentity,
  change: (before: Stream, settings: Settings) => Stream,
): Promise<Stream> {
  const { settings, streams, changed } = management
  // What no stream could have is 400, also where there is no such stream.
  if (request.delivery) deliveryOf(request.delivery, settings)
  const before = findChangeableStream(management, stream_id, receiver)
  checkSupplied(supplied, { ...streamConfiguration(before, settings) })
  const stream = await streams.update(change(before, settings))
  if (!stream) throw noSuchStream()
  changed('stream:updated', stream)
  return stream
}

function checkSupplied(
  supplied: StreamUpdate['supplied'],
  actual: Readonly<Record<string, unknown>>,
): void {
  for (const [member, value] of Object.entries(supplied)) {
    if (canonicalJson(value) === canonicalJson(actual[member])) continue
    throw new StreamError(
      'ERR_STREAM_REQUEST',
      400,
      `"${member}" is supplied by the Transmitter, and is another: leave it out`,
    )
  }
}
