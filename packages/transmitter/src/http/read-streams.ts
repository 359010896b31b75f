import { jsonResponse } from '@drawbridge/core'
import { findOwnStream } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import { servingOf, streamAnswer } from './as-served.ts'
import type { Call } from './call.ts'
import { onlyStream, ownStreams } from './required-stream-id.ts'

/**
 * One stream where the query names one, or the profile has one only; else an array of all that the
 * Receiver has.
 *
 * @see OpenID SSF 1.0, "Reading a Stream's Configuration"
 */
export function readStreams(call: Call): Response {
  const { management, receiver, query } = call
  const serves = servingOf(call)
  const answer = (stream: Stream): object => streamAnswer(stream, management.settings, serves)
  const streamId = query.get('stream_id')
  if (streamId !== null) {
    return jsonResponse(200, answer(findOwnStream(management, streamId, receiver)))
  }
  if (serves.onlyStreamMeant) return jsonResponse(200, answer(onlyStream(call)))
  return jsonResponse(200, ownStreams(call).map(answer))
}
