import { StreamError, type StreamUpdate } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { changeStream } from './change-stream.ts'
import { deliveryOf, eventsDelivered } from './requested.ts'
import type { StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Replaces what a Receiver sent about its stream: what it does not send any more is deleted. A
 * stream without a delivery is none, so that one has to be sent. What waits stays, and goes out by
 * the new delivery.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_REQUEST` (400)
 * @see OpenID SSF 1.0, "Replacing a Stream's Configuration"
 */
export async function replaceStream(
  management: StreamManagement,
  replacement: StreamUpdate,
  receiver: ReceiverIdentity,
): Promise<Stream> {
  const { events_requested, delivery, description } = replacement.request
  if (delivery === undefined) {
    throw new StreamError(
      'ERR_STREAM_REQUEST',
      400,
      '"delivery" must be there: what is left out of a replacement is deleted',
    )
  }
  return changeStream(management, replacement, receiver, (before, settings) => {
    const { events_requested: _, description: __, ...kept } = before
    return {
      ...kept,
      delivery: deliveryOf(delivery, settings),
      ...(events_requested === undefined ? {} : { events_requested }),
      events_delivered: eventsDelivered(
        events_requested,
        settings,
        settings.profileNamed(before.profile),
      ),
      ...(description === undefined ? {} : { description }),
    }
  })
}
