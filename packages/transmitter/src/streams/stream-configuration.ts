import { poll, type Delivery, type StreamConfiguration } from '@drawbridge/schema'
import type { Settings } from '../settings.ts'
import type { Stream } from './stream.ts'

/**
 * A stream as its Receiver sees it. Its own `authorization_header` comes along: a Receiver that
 * reads, changes and replaces the stream would delete it otherwise.
 *
 * @see OpenID SSF 1.0, "Stream Configuration"
 */
export function streamConfiguration(stream: Stream, settings: Settings): StreamConfiguration {
  const { stream_id, aud, events_requested, events_delivered, description } = stream
  const interval = settings.minVerificationIntervalSeconds
  // A static stream lives as long as it is set up.
  const timeout = stream.is_static ? undefined : settings.inactivity?.timeoutSeconds
  return {
    stream_id,
    iss: settings.issuer,
    aud,
    events_supported: settings.eventsSupported.map(({ uri }) => uri),
    ...(events_requested === undefined ? {} : { events_requested }),
    events_delivered,
    delivery: deliveryOf(stream, settings.base),
    ...(description === undefined ? {} : { description }),
    ...(interval === undefined ? {} : { min_verification_interval: interval }),
    ...(timeout === undefined ? {} : { inactivity_timeout: timeout }),
  }
}

function deliveryOf({ stream_id, delivery }: Stream, base: string): Delivery {
  if (delivery.method === poll) return { method: poll, endpoint_url: pollUrl(base, stream_id) }
  const { method, endpoint_url, authorization } = delivery
  return {
    method,
    endpoint_url,
    ...(authorization ? { authorization_header: authorization.reveal() } : {}),
  }
}

/** Where a stream is polled: a URL that no other stream has. */
const pollUrl = (base: string, streamId: string): string => `${base}/ssf/poll/${streamId}`
