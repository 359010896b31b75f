import { jsonResponse } from '@drawbridge/core'
import { poll, readPollRequest } from '@drawbridge/schema'
import { findOwnStream, noSuchStream } from '../streams/stream-management.ts'
import { finalPollRequest, longestMs, pollAnswer, servingOf } from './as-served.ts'
import type { Call } from './call.ts'

/** @see RFC 8936, "Polling HTTP Response" */
export async function pollStream(call: Call): Promise<Response> {
  const { request, management, delivery, receiver, body, streamId } = call
  const serves = servingOf(call)
  const wanted = readPollRequest(finalPollRequest(body, serves))
  // First: to poll a push stream is no sign of life.
  if (management.streams.find(streamId)?.delivery.method !== poll) throw noSuchStream()
  const stream = findOwnStream(management, streamId, receiver)
  const heldFor = longestMs(body, serves)
  const limits = heldFor === undefined ? {} : { longestMs: heldFor }
  const answer = await delivery.poll(stream, { ...wanted, ...limits }, request.signal)
  return jsonResponse(200, pollAnswer(answer, serves))
}
