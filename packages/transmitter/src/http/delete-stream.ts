import { emptyResponse } from '@drawbridge/core'
import { deleteStream as remove } from '../streams/delete-stream.ts'
import { servingOf } from './as-served.ts'
import type { Call } from './call.ts'
import { requiredStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Deleting a Stream" */
export async function deleteStream(call: Call): Promise<Response> {
  await remove(call.management, requiredStreamId(call), call.receiver)
  return emptyResponse(servingOf(call).statusFor.deleteStream)
}
