import { poll, push, type StreamConfiguration, type StreamRequest } from '@drawbridge/schema'
import type { StreamClient } from './stream-client.ts'

/**
 * Finds this Receiver's stream or makes it: reads first, and takes the one with its delivery; where
 * only the event types differ they are updated. Streams with another delivery are left alone.
 *
 * @see OpenID SSF 1.0, "Creating a Stream"
 */
export async function ensureStream(
  client: StreamClient,
  wanted: StreamRequest & { readonly events_requested: readonly string[] },
  signal?: AbortSignal,
): Promise<{ readonly stream: StreamConfiguration; readonly created: boolean }> {
  const streams = await client.listStreams(signal)
  const own = streams.find((stream) => hasDelivery(stream, wanted))
  if (!own) return { stream: await client.createStream(wanted, signal), created: true }
  if (sameSet(own.events_requested ?? [], wanted.events_requested)) {
    return { stream: own, created: false }
  }
  const { events_requested } = wanted
  const update = { stream_id: own.stream_id, events_requested }
  return { stream: await client.updateStream(update, signal), created: false }
}

function hasDelivery(stream: StreamConfiguration, { delivery }: StreamRequest): boolean {
  if (stream.delivery.method !== (delivery?.method ?? poll)) return false
  return stream.delivery.method !== push || stream.delivery.endpoint_url === delivery?.endpoint_url
}

const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item) => other.includes(item))
