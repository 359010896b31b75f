import { poll, StreamError, type ReceiverSupplied } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { deliveryOf, eventsDelivered } from './requested.ts'
import { sendVerification } from './send-verification.ts'
import type { StreamManagement } from './stream-management.ts'
import { streamTerms } from './stream-terms.ts'
import type { Stream } from './stream.ts'

/**
 * Creates a stream for a Receiver. Event types that nobody knows are kept as requested and not
 * delivered.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` (400), `ERR_STREAM_CONFLICT` (409)
 * @see OpenID SSF 1.0, "Creating a Stream"
 */
export async function createStream(
  management: StreamManagement,
  request: ReceiverSupplied,
  receiver: ReceiverIdentity,
): Promise<Stream> {
  const { settings, streams, changed, activity } = management
  const { events_requested, description } = request
  const { profile, stored } = streamTerms(receiver, settings)
  const stream: Stream = {
    stream_id: crypto.randomUUID(),
    receiver: receiver.id,
    ...stored,
    delivery: deliveryOf(request.delivery ?? { method: poll }, settings),
    ...(events_requested === undefined ? {} : { events_requested }),
    events_delivered: eventsDelivered(events_requested, settings, profile),
    ...(description === undefined ? {} : { description }),
    status: 'enabled',
    default_subjects: settings.subjects.byDefault,
  }
  // Of several, one that names no stream would not say which it means.
  const isOnly = !settings.multipleStreams || profile.serves.onlyStreamMeant
  if (!(await streams.create(stream, isOnly))) {
    throw new StreamError(
      'ERR_STREAM_CONFLICT',
      409,
      'a Receiver has one stream here, and it exists',
    )
  }
  activity.note(stream.stream_id)
  changed('stream:created', stream)
  await verifyFirst(management, stream)
  return stream
}

/** The stream exists, and its Receiver has to learn that whatever happens now. */
async function verifyFirst(management: StreamManagement, stream: Stream): Promise<void> {
  if (!management.settings.verification.onCreate) return
  await sendVerification(management, stream).catch(management.storageFailed)
}
