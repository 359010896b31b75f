import { jsonResponse } from '@drawbridge/core'
import { isObject, readStreamRequest, readStreamUpdate } from '@drawbridge/schema'
import { createStream as create } from '../streams/create-stream.ts'
import { replaceStream } from '../streams/replace-stream.ts'
import type { Stream } from '../streams/stream.ts'
import { finalStreamRequest, servingOf, streamAnswer } from './as-served.ts'
import type { Call } from './call.ts'
import { ownStreams } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Creating a Stream" */
export async function createStream(call: Call): Promise<Response> {
  const serves = servingOf(call)
  const body = finalStreamRequest(call.body, serves)
  const before = serves.unnamedStream ? ownStreams(call)[0] : undefined
  const stream = await (before ? replace(call, body, before) : createAnother(call, body))
  const answer = streamAnswer(stream, call.management.settings, serves)
  return jsonResponse(serves.statusFor.createStream, answer)
}

const createAnother = ({ management, receiver }: Call, body: unknown): Promise<Stream> =>
  create(management, readStreamRequest(body), receiver)

/** A Receiver that knows no streams has one from the start, and says what it is to be. */
function replace(
  { management, receiver }: Call,
  body: unknown,
  { stream_id }: Stream,
): Promise<Stream> {
  const named = isObject(body) ? { ...body, stream_id } : body
  return replaceStream(management, readStreamUpdate(named), receiver)
}
