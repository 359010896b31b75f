import { poll, push, type StreamConfiguration, type ReceiverSupplied } from '@drawbridge/schema'
import type { StreamClient } from './stream-client.ts'

/** What a Receiver asks for. */
export type WantedStream = ReceiverSupplied & { readonly events_requested: readonly string[] }

/**
 * Finds this Receiver's stream or makes it: reads first, and takes the one with its delivery; event
 * types or a push header that differ are updated. Streams with another delivery are left alone.
 *
 * @see OpenID SSF 1.0, "Creating a Stream"
 */
export async function ensureStream(
  client: StreamClient,
  wanted: WantedStream,
  signal?: AbortSignal,
): Promise<{ readonly stream: StreamConfiguration; readonly created: boolean }> {
  const streams = await client.listStreams(signal)
  const own = streams.find((stream) => isOwn(stream, wanted))
  if (!own) return { stream: await client.createStream(wanted, signal), created: true }
  const update = difference(own, wanted)
  if (!update) return { stream: own, created: false }
  const { stream_id } = own
  return { stream: await client.updateStream({ stream_id, ...update }, signal), created: false }
}

function isOwn(stream: StreamConfiguration, { delivery }: ReceiverSupplied): boolean {
  if (stream.delivery.method !== (delivery?.method ?? poll)) return false
  return stream.delivery.method !== push || stream.delivery.endpoint_url === delivery?.endpoint_url
}

/** What is to be updated; undefined where nothing is. */
function difference(own: StreamConfiguration, wanted: WantedStream): ReceiverSupplied | undefined {
  const { events_requested, delivery } = wanted
  const sameEvents = sameSet(own.events_requested ?? [], events_requested)
  // A Transmitter that does not show the header is sent it once more: nobody can tell.
  const sameHeader = own.delivery.authorization_header === delivery?.authorization_header
  if (sameEvents && sameHeader) return undefined
  return {
    ...(sameEvents ? {} : { events_requested }),
    ...(sameHeader || !delivery ? {} : { delivery }),
  }
}

const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item) => other.includes(item))
