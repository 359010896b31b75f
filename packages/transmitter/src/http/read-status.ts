import { jsonResponse } from '@drawbridge/core'
import type { StreamStatus } from '@drawbridge/schema'
import { findOwnStream } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'
import type { Call } from './call.ts'
import { requiredStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Reading a Stream's Status" */
export function readStatus({ management, delivery, receiver, query }: Call): Response {
  const stream = findOwnStream(management, requiredStreamId(query), receiver)
  const fault = delivery.faultOf(stream.stream_id)
  const status = streamStatus(stream)
  // A stream at fault stays enabled; why nothing arrives is what its Receiver wants to know.
  return jsonResponse(200, fault ? { ...status, reason: `push fails: ${fault}` } : status)
}

/** The status of a stream as its Receiver sees it. */
export function streamStatus({ stream_id, status, reason }: Stream): StreamStatus {
  return { stream_id, status, ...(reason === undefined ? {} : { reason }) }
}
