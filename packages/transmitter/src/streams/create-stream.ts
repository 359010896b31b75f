import { Secret } from '@drawbridge/core'
import { poll, push, StreamError, type StreamRequest } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
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
  request: StreamRequest,
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

function eventsDelivered(requested: readonly string[], settings: Settings): readonly string[] {
  const supported = new Set(settings.eventsSupported.map(({ uri }) => uri))
  return [...new Set(requested)].filter((uri) => supported.has(uri))
}

function deliveryOf(
  { method, endpoint_url, authorization_header }: NonNullable<StreamRequest['delivery']>,
  { allowInsecureHttp }: Settings,
): Stream['delivery'] {
  if (method === poll || endpoint_url === undefined) return { method: poll }
  const { protocol, username, password } = new URL(endpoint_url)
  const isAllowed = protocol === 'https:' || (protocol === 'http:' && allowInsecureHttp)
  if (!isAllowed) {
    throw new StreamError('ERR_STREAM_REQUEST', 400, '"delivery.endpoint_url" must be an https URL')
  }
  if (username !== '' || password !== '') {
    throw new StreamError(
      'ERR_STREAM_REQUEST',
      400,
      '"delivery.endpoint_url" must hold no credentials: use "delivery.authorization_header"',
    )
  }
  return {
    method: push,
    endpoint_url,
    ...(authorization_header === undefined
      ? {}
      : { authorization: new Secret(authorization_header) }),
  }
}
