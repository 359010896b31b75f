import { jsonResponse } from '@drawbridge/core'
import type { StreamStatus } from '@drawbridge/schema'
import { findOwnStream } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import { asServed, servingOf } from './as-served.ts'
import type { Call } from './call.ts'
import { requiredStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Reading a Stream's Status" */
export function readStatus(call: Call): Response {
  const { management, delivery, receiver } = call
  const stream = findOwnStream(management, requiredStreamId(call), receiver)
  const fault = delivery.faultOf(stream.stream_id)
  const status = streamStatus(stream)
  // A stream at fault stays enabled; why nothing arrives is what its Receiver wants to know.
  const isAtFault = fault !== undefined && status.status === 'enabled'
  const answer = isAtFault ? { ...status, reason: fault } : status
  return jsonResponse(200, asServed(answer, servingOf(call)))
}

/** The status of a stream as its Receiver sees it. */
export function streamStatus({ stream_id, status, reason }: Stream): StreamStatus {
  return { stream_id, status, ...(reason === undefined ? {} : { reason }) }
}
