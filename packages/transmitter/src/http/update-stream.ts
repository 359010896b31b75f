import { jsonResponse } from '@drawbridge/core'
import { readStreamUpdate } from '@drawbridge/schema'
import { streamConfiguration } from '../streams/stream-configuration.ts'
import { updateStream as update } from '../streams/update-stream.ts'
import type { Call } from './call.ts'

/** @see OpenID SSF 1.0, "Updating a Stream's Configuration" */
export async function updateStream({ management, receiver, body }: Call): Promise<Response> {
  const stream = await update(management, readStreamUpdate(body), receiver)
  return jsonResponse(200, streamConfiguration(stream, management.settings))
}
