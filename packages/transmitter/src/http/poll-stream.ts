import { jsonResponse } from '@drawbridge/core'
import { poll, readPollRequest } from '@drawbridge/schema'
import { findOwnStream, noSuchStream } from '../streams/stream-management.ts'
import type { Call } from './call.ts'

/** @see RFC 8936, "Polling HTTP Response" */
export async function pollStream(call: Call): Promise<Response> {
  const { request, management, delivery, receiver, body, streamId } = call
  const wanted = readPollRequest(body)
  const stream = findOwnStream(management, streamId, receiver)
  if (stream.delivery.method !== poll) throw noSuchStream()
  return jsonResponse(200, await delivery.poll(stream, wanted, request.signal))
}
