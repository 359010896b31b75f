import { jsonResponse } from '@drawbridge/core'
import { readStreamRequest } from '@drawbridge/schema'
import { createStream as create } from '../streams/create-stream.ts'
import { streamConfiguration } from '../streams/stream-configuration.ts'
import type { Call } from './call.ts'

/** @see OpenID SSF 1.0, "Creating a Stream" */
export async function createStream({ management, receiver, body }: Call): Promise<Response> {
  const stream = await create(management, readStreamRequest(body), receiver)
  return jsonResponse(201, streamConfiguration(stream, management.settings))
}
