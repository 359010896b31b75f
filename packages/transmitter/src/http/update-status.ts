import { jsonResponse } from '@drawbridge/core'
import { readStatusRequest } from '@drawbridge/schema'
import { updateStatus as update } from '../streams/update-status.ts'
import { asServed, servingOf } from './as-served.ts'
import type { Call } from './call.ts'
import { streamStatus } from './read-status.ts'
import { withStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Updating a Stream's Status" */
export async function updateStatus(call: Call): Promise<Response> {
  const request = readStatusRequest(withStreamId(call))
  const stream = await update(call.management, request, call.receiver)
  return jsonResponse(200, asServed(streamStatus(stream), servingOf(call)))
}
