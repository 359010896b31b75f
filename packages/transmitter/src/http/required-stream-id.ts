import { isObject, StreamError } from '@drawbridge/schema'
import { noSuchStream } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import { servingOf } from './as-served.ts'
import type { Call } from './call.ts'

/**
 * The stream that a query names; with a profile where none is named, the Receiver's only one.
 *
 * @throws StreamError `ERR_STREAM_REQUEST` (400) when the query names no stream,
 *   `ERR_STREAM_NOT_FOUND` (404) when the Receiver has none
 */
export function requiredStreamId(call: Call): string {
  const streamId = call.query.get('stream_id')
  if (streamId) return streamId
  if (servingOf(call).onlyStreamMeant) return onlyStream(call).stream_id
  throw new StreamError('ERR_STREAM_REQUEST', 400, '"stream_id" must be in the query')
}

/** The body of a request about a stream: with a profile where none is named, names the only one. */
export function withStreamId(call: Call, body: unknown = call.body): unknown {
  if (!isObject(body) || body['stream_id'] !== undefined) return body
  if (!servingOf(call).onlyStreamMeant) return body
  return { ...body, stream_id: onlyStream(call).stream_id }
}

/** The streams of the Receiver that calls. */
export const ownStreams = ({ management, receiver }: Call): readonly Stream[] =>
  management.streams.list().filter((stream) => stream.receiver === receiver.id)

/**
 * The stream that is meant where none is named.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_REQUEST` (400) where there are
 *   several
 */
export function onlyStream(call: Call): Stream {
  const [only, ...others] = ownStreams(call)
  if (!only) throw noSuchStream()
  if (others.length === 0) return only
  throw new StreamError('ERR_STREAM_REQUEST', 400, '"stream_id" must say which stream is meant')
}
