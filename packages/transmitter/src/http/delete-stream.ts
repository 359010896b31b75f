import { emptyResponse } from '@drawbridge/core'
import { deleteStream as remove } from '../streams/delete-stream.ts'
import type { Call } from './call.ts'
import { requiredStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Deleting a Stream" */
export async function deleteStream({ management, receiver, query }: Call): Promise<Response> {
  await remove(management, requiredStreamId(query), receiver)
  return emptyResponse(204)
}
