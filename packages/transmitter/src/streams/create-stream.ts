import { poll, StreamError, type ReceiverSupplied } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { deliveryOf, eventsDelivered } from './requested.ts'
import type { StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Creates a stream for a Receiver. Event types that nobody knows are kept as requested and not
 * delivered.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` (400), `ERR_STREAM_CONFLICT` (409)
 * @see OpenID SSF 1.0, "Creating a Stream"
 */
export async function createStream(
  { settings, streams, changed }: StreamManagement,
  request: ReceiverSupplied,
  receiver: ReceiverIdentity,
): Promise<Stream> {
  const { events_requested, description } = request
  const stream: Stream = {
    stream_id: crypto.randomUUID(),
    receiver: receiver.id,
    aud: receiver.audience,
    delivery: deliveryOf(request.delivery ?? { method: poll }, settings),
    ...(events_requested === undefined ? {} : { events_requested }),
    events_delivered: eventsDelivered(events_requested ?? [], settings),
    ...(description === undefined ? {} : { description }),
    status: 'enabled',
  }
  if (!(await streams.create(stream, !settings.multipleStreams))) {
    throw new StreamError(
      'ERR_STREAM_CONFLICT',
      409,
      'a Receiver has one stream here, and it exists',
    )
  }
  changed('stream:created', stream)
  return stream
}
