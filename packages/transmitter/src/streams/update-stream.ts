import { canonicalJson, StreamError, type StreamUpdate } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { deliveryOf, eventsDelivered } from './requested.ts'
import { streamConfiguration } from './stream-configuration.ts'
import { findOwnStream, noSuchStream, type StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Changes what a Receiver sent about its stream and leaves the rest. `delivery` is replaced as a
 * whole. What waits stays, and goes out by the new delivery.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_REQUEST` (400)
 * @see OpenID SSF 1.0, "Updating a Stream's Configuration"
 */
export async function updateStream(
  management: StreamManagement,
  { stream_id, request, supplied }: StreamUpdate,
  receiver: ReceiverIdentity,
): Promise<Stream> {
  const { settings, streams, changed } = management
  const before = findOwnStream(management, stream_id, receiver)
  checkSupplied(supplied, { ...streamConfiguration(before, settings) })
  const { events_requested, delivery, description } = request
  const stream = await streams.update({
    ...before,
    ...(delivery === undefined ? {} : { delivery: deliveryOf(delivery, settings) }),
    ...(events_requested === undefined
      ? {}
      : { events_requested, events_delivered: eventsDelivered(events_requested, settings) }),
    ...(description === undefined ? {} : { description }),
  })
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
