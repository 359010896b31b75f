import type { StreamUpdate } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { changeStream } from './change-stream.ts'
import { deliveryOf, eventsDelivered } from './requested.ts'
import type { StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Changes what a Receiver sent about its stream and leaves the rest. `delivery` is replaced as a
 * whole. What waits stays, and goes out by the new delivery.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_REQUEST` (400)
 * @see OpenID SSF 1.0, "Updating a Stream's Configuration"
 */
export function updateStream(
  management: StreamManagement,
  update: StreamUpdate,
  receiver: ReceiverIdentity,
): Promise<Stream> {
  const { events_requested, delivery, description } = update.request
  return changeStream(management, update, receiver, (before, settings) => ({
    ...before,
    ...(delivery === undefined ? {} : { delivery: deliveryOf(delivery, settings) }),
    ...(events_requested === undefined
      ? {}
      : {
          events_requested,
          events_delivered: eventsDelivered(
            events_requested,
            settings,
            settings.profileNamed(before.profile),
          ),
        }),
    ...(description === undefined ? {} : { description }),
  }))
}
