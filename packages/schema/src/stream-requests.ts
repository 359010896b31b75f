import { StreamError } from './errors.ts'
import { isObject, isStrings } from './json.ts'
import {
  poll,
  push,
  transmitterSupplied,
  type DeliveryRequest,
  type ReceiverSupplied,
  type StreamStatus,
  type StreamStatusValue,
  type TransmitterSupplied,
} from './stream-configuration.ts'

/** Tells whether a value is one of the three states of a stream. */
export const isStreamStatusValue = (value: unknown): value is StreamStatusValue =>
  value === 'enabled' || value === 'paused' || value === 'disabled'

/** @see OpenID SSF 1.0, "Triggering a Verification Event" */
export interface VerificationRequest {
  readonly stream_id: string
  readonly state?: string
}

/** What a Receiver changes about a stream, and what it says the Transmitter has. */
export interface StreamUpdate {
  readonly stream_id: string
  /** The Receiver-Supplied members that were sent. */
  readonly request: ReceiverSupplied
  /** The Transmitter-Supplied members that were sent: they must be what they are. */
  readonly supplied: Readonly<Partial<Record<keyof TransmitterSupplied, unknown>>>
}

/**
 * Reads the body of an update (PATCH) or a replacement (PUT).
 *
 * @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member
 * @see OpenID SSF 1.0, "Updating a Stream's Configuration", "Replacing a Stream's Configuration"
 */
export function readStreamUpdate(value: unknown): StreamUpdate {
  if (!isObject(value)) throw invalid('the body must be a JSON object')
  const rest: Record<string, unknown> = { ...value }
  const supplied: Partial<Record<keyof TransmitterSupplied, unknown>> = {}
  for (const member of transmitterSupplied) {
    if (rest[member] !== undefined) supplied[member] = rest[member]
    delete rest[member]
  }
  const { stream_id } = supplied
  if (typeof stream_id !== 'string') throw invalid('"stream_id" must be a string')
  return { stream_id, request: readStreamRequest(rest), supplied }
}

/**
 * Reads the body of a create request. Members that are not Receiver-Supplied are refused where they
 * are Transmitter-Supplied, and ignored where nobody knows them.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member
 * @see OpenID SSF 1.0, "Creating a Stream"
 */
export function readStreamRequest(value: unknown): ReceiverSupplied {
  if (!isObject(value)) throw invalid('the body must be a JSON object')
  for (const member of transmitterSupplied) {
    if (value[member] !== undefined) {
      throw invalid(`"${member}" is supplied by the Transmitter and must be absent`)
    }
  }
  const { delivery, events_requested, description } = value
  if (events_requested !== undefined && !isStrings(events_requested)) {
    throw invalid('"events_requested" must be an array of event type URIs')
  }
  if (description !== undefined && typeof description !== 'string') {
    throw invalid('"description" must be a string')
  }
  return {
    ...(delivery === undefined ? {} : { delivery: readDelivery(delivery) }),
    ...(events_requested === undefined ? {} : { events_requested }),
    ...(description === undefined ? {} : { description }),
  }
}

function readDelivery(value: unknown): DeliveryRequest {
  if (!isObject(value)) throw invalid('"delivery" must be an object')
  const { method, endpoint_url, authorization_header } = value
  if (method === poll) return { method }
  if (method !== push) throw invalid(`"delivery.method" must be "${push}" or "${poll}"`)
  if (typeof endpoint_url !== 'string' || !URL.canParse(endpoint_url)) {
    throw invalid('"delivery.endpoint_url" must be the URL that SETs are pushed to')
  }
  if (authorization_header === undefined) return { method, endpoint_url }
  // A value with a line break would smuggle header fields into every push.
  if (typeof authorization_header !== 'string' || !/^[\t\x20-\x7e]+$/.test(authorization_header)) {
    throw invalid('"delivery.authorization_header" must be the value of an Authorization field')
  }
  return { method, endpoint_url, authorization_header }
}

/** @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member */
export function readStatusRequest(value: unknown): StreamStatus {
  if (!isObject(value)) throw invalid('the body must be a JSON object')
  const { stream_id, status, reason } = value
  if (typeof stream_id !== 'string') throw invalid('"stream_id" must be a string')
  if (!isStreamStatusValue(status)) {
    throw invalid('"status" must be "enabled", "paused" or "disabled"')
  }
  if (reason !== undefined && typeof reason !== 'string') throw invalid('"reason" must be a string')
  return { stream_id, status, ...(reason === undefined ? {} : { reason }) }
}

/** @throws StreamError `ERR_STREAM_REQUEST` with status 400 that names the member */
export function readVerificationRequest(value: unknown): VerificationRequest {
  if (!isObject(value)) throw invalid('the body must be a JSON object')
  const { stream_id, state } = value
  if (typeof stream_id !== 'string') throw invalid('"stream_id" must be a string')
  if (state !== undefined && typeof state !== 'string') throw invalid('"state" must be a string')
  return { stream_id, ...(state === undefined ? {} : { state }) }
}

const invalid = (message: string): StreamError =>
  new StreamError('ERR_STREAM_REQUEST', 400, message)
