import { StreamError } from '@drawbridge/schema'

/** @throws StreamError `ERR_STREAM_REQUEST` (400) when the query names no stream */
export function requiredStreamId(query: URLSearchParams): string {
  const streamId = query.get('stream_id')
  if (streamId) return streamId
  throw new StreamError('ERR_STREAM_REQUEST', 400, '"stream_id" must be in the query')
}
