import { jsonResponse } from '@drawbridge/core'
import { readStatusRequest } from '@drawbridge/schema'
import { updateStatus as update } from '../streams/update-status.ts'
import type { Call } from './call.ts'
import { streamStatus } from './read-status.ts'

/** @see OpenID SSF 1.0, "Updating a Stream's Status" */
export async function updateStatus({ management, receiver, body }: Call): Promise<Response> {
  return jsonResponse(
    200,
    streamStatus(await update(management, readStatusRequest(body), receiver)),
  )
}
