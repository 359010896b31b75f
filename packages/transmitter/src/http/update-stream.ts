import { jsonResponse } from '@drawbridge/core'
import { readStreamUpdate } from '@drawbridge/schema'
import { updateStream as update } from '../streams/update-stream.ts'
import { finalStreamRequest, servingOf, streamAnswer } from './as-served.ts'
import type { Call } from './call.ts'
import { withStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Updating a Stream's Configuration" */
export async function updateStream(call: Call): Promise<Response> {
  const { management, receiver } = call
  const serves = servingOf(call)
  const body = withStreamId(call, finalStreamRequest(call.body, serves))
  const stream = await update(management, readStreamUpdate(body), receiver)
  return jsonResponse(200, streamAnswer(stream, management.settings, serves))
}
