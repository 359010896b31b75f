import { poll, push, type StreamConfiguration, type ReceiverSupplied } from '@drawbridge/schema'
import { isConflict, type StreamClient } from './stream-client.ts'

/** What a Receiver asks for. */
export type WantedStream = ReceiverSupplied & { readonly events_requested: readonly string[] }

/** What became of the wanted stream. */
export interface EnsuredStream {
  readonly stream: StreamConfiguration
  /** Whether there was none before: what happened until now was not sent. */
  readonly created: boolean
}

/** How to find a stream. */
export interface EnsureRules {
  readonly wanted: WantedStream
  /** Whether the only stream that the Transmitter allows may be replaced when it is another one. */
  readonly replaceOnConflict: boolean
}

/**
 * Finds this Receiver's stream or makes it: reads first, and takes the one with its delivery; event
 * types or a push header that differ are updated. Streams with another delivery are left alone,
 * unless the Transmitter allows one only and it may be replaced.
 *
 * @see OpenID SSF 1.0, "Creating a Stream"
 */
export async function ensureStream(
  client: StreamClient,
  { wanted, replaceOnConflict }: EnsureRules,
  signal?: AbortSignal,
): Promise<EnsuredStream> {
  const streams = await client.listStreams(signal)
  const own = streams.find((stream) => isOwn(stream, wanted))
  if (own) return { stream: await reconcile(client, own, { wanted, signal }), created: false }
  try {
    return { stream: await client.createStream(wanted, signal), created: true }
  } catch (error) {
    const [only, ...others] = streams
    if (!replaceOnConflict || !isConflict(error) || !only || others.length > 0) throw error
    const { stream_id } = only
    return { stream: await client.replaceStream({ stream_id, ...wanted }, signal), created: true }
  }
}

async function reconcile(
  client: StreamClient,
  own: StreamConfiguration,
  { wanted, signal }: { readonly wanted: WantedStream; readonly signal: AbortSignal | undefined },
): Promise<StreamConfiguration> {
  const update = difference(own, wanted)
  return update ? await client.updateStream({ stream_id: own.stream_id, ...update }, signal) : own
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
