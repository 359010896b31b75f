import { jsonResponse } from '@drawbridge/core'
import { streamConfiguration } from '../streams/stream-configuration.ts'
import { findOwnStream } from '../streams/stream-management.ts'
import type { Call } from './call.ts'

/**
 * One stream where the query names one, else an array of all that the Receiver has.
 *
 * @see OpenID SSF 1.0, "Reading a Stream's Configuration"
 */
export function readStreams({ management, receiver, query }: Call): Response {
  const { settings, streams } = management
  const streamId = query.get('stream_id')
  if (streamId !== null) {
    const stream = findOwnStream(management, streamId, receiver)
    return jsonResponse(200, streamConfiguration(stream, settings))
  }
  const own = streams.list().filter((stream) => stream.receiver === receiver.id)
  return jsonResponse(
    200,
    own.map((stream) => streamConfiguration(stream, settings)),
  )
}
