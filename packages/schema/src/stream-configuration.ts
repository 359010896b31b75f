import { PeerError } from './errors.ts'
import { isObject, isStrings } from './json.ts'

/** Push delivery (RFC 8935). */
export const push = 'urn:ietf:rfc:8935'
/** Poll delivery (RFC 8936). */
export const poll = 'urn:ietf:rfc:8936'

/** @see OpenID SSF 1.0, "Stream Status" */
export type StreamStatusValue = 'enabled' | 'paused' | 'disabled'

/** How the SETs of a stream travel. For `poll` the Transmitter makes the `endpoint_url`. */
export interface Delivery {
  readonly method: typeof push | typeof poll
  readonly endpoint_url: string
  /** The value of the `Authorization` field of every push. */
  readonly authorization_header?: string
}

/** How a Receiver asks for its SETs: for `push` with the `endpoint_url`, for `poll` without. */
export interface DeliveryRequest {
  readonly method: typeof push | typeof poll
  readonly endpoint_url?: string
  readonly authorization_header?: string
}

/**
 * The Receiver-Supplied members of a Stream Configuration: what a Receiver writes when it creates,
 * updates or replaces a stream.
 *
 * @see OpenID SSF 1.0, "Stream Configuration"
 */
export interface ReceiverSupplied {
  /** Default: poll. */
  readonly delivery?: DeliveryRequest
  /** Event type URIs; ones that the Transmitter does not know are ignored. */
  readonly events_requested?: readonly string[]
  readonly description?: string
}

/**
 * The Transmitter-Supplied members of a Stream Configuration: a Receiver reads them and never
 * writes them.
 *
 * @see OpenID SSF 1.0, "Stream Configuration"
 */
export interface TransmitterSupplied {
  readonly stream_id: string
  readonly iss: string
  readonly aud: string | readonly string[]
  readonly events_supported?: readonly string[]
  /** What is delivered of what was requested. */
  readonly events_delivered: readonly string[]
  /** Seconds between two verifications at least. */
  readonly min_verification_interval?: number
  /** Seconds without a sign of life after which the stream may be paused or disabled. */
  readonly inactivity_timeout?: number
}

/**
 * A Stream Configuration.
 *
 * @see OpenID SSF 1.0, "Stream Configuration"
 */
export interface StreamConfiguration
  extends TransmitterSupplied, Omit<ReceiverSupplied, 'delivery'> {
  readonly delivery: Delivery
}

/** The names of the Transmitter-Supplied members. */
export const transmitterSupplied: readonly (keyof TransmitterSupplied)[] = [
  'stream_id',
  'iss',
  'aud',
  'events_supported',
  'events_delivered',
  'min_verification_interval',
  'inactivity_timeout',
]

/** @see OpenID SSF 1.0, "Stream Status" */
export interface StreamStatus {
  readonly stream_id: string
  readonly status: StreamStatusValue
  readonly reason?: string
}

/**
 * Reads a Stream Configuration that a Transmitter answered with: what a Receiver relies on is
 * checked, the rest is kept as it came.
 *
 * @throws PeerError `ERR_PEER_ISSUER` when `iss` is not the issuer's, `ERR_PEER_ANSWER` when a
 *   member is missing or cannot be used
 * @see OpenID SSF 1.0, "Reading a Stream's Configuration"
 */
export function readStreamConfiguration(value: unknown, issuer: string): StreamConfiguration {
  if (!isObject(value)) throw new PeerError('ERR_PEER_ANSWER', 'the stream is not a JSON object')
  if (value['iss'] !== issuer) {
    throw new PeerError(
      'ERR_PEER_ISSUER',
      '"iss" of the stream is not the issuer of the Transmitter: the stream is not used',
    )
  }
  const bad = badMember(value)
  if (bad !== undefined) {
    throw new PeerError('ERR_PEER_ANSWER', `"${bad}" of the stream is missing or cannot be used`)
  }
  return value as unknown as StreamConfiguration
}

function badMember({
  stream_id,
  delivery,
  events_requested,
}: Record<string, unknown>): string | undefined {
  if (typeof stream_id !== 'string' || stream_id === '') return 'stream_id'
  if (events_requested !== undefined && !isStrings(events_requested)) return 'events_requested'
  const { method, endpoint_url } = isObject(delivery) ? delivery : {}
  if (method !== push && method !== poll) return 'delivery.method'
  const isUrl = typeof endpoint_url === 'string' && URL.canParse(endpoint_url)
  return isUrl ? undefined : 'delivery.endpoint_url'
}
