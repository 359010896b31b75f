import { jsonResponse } from '@drawbridge/core'
import { readStreamUpdate } from '@drawbridge/schema'
import { replaceStream as replace } from '../streams/replace-stream.ts'
import { finalStreamRequest, servingOf, streamAnswer } from './as-served.ts'
import type { Call } from './call.ts'
import { withStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Replacing a Stream's Configuration" */
export async function replaceStream(call: Call): Promise<Response> {
  const { management, receiver } = call
  const serves = servingOf(call)
  const body = withStreamId(call, finalStreamRequest(call.body, serves))
  const stream = await replace(management, readStreamUpdate(body), receiver)
  return jsonResponse(200, streamAnswer(stream, management.settings, serves))
}
