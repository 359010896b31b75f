import { jsonResponse } from '@drawbridge/core'
import { readStreamUpdate } from '@drawbridge/schema'
import { replaceStream as replace } from '../streams/replace-stream.ts'
import { streamConfiguration } from '../streams/stream-configuration.ts'
import type { Call } from './call.ts'

/** @see OpenID SSF 1.0, "Replacing a Stream's Configuration" */
export async function replaceStream({ management, receiver, body }: Call): Promise<Response> {
  const stream = await replace(management, readStreamUpdate(body), receiver)
  return jsonResponse(200, streamConfiguration(stream, management.settings))
}
