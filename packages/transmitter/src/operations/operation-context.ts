import { StorageError, StreamError } from '@drawbridge/schema'
import type { Delivery } from '../delivery/delivery.ts'
import type { MakeJti } from '../jti.ts'
import type { IssuerStore } from '../store/transmitter-store.ts'
import { noSuchStream, type StreamManagement } from '../streams/stream-management.ts'
import type { Stream } from '../streams/stream.ts'

/** What the operator's hands work with, while the Transmitter is started. */
export interface OperationContext {
  readonly management: StreamManagement
  readonly store: IssuerStore
  readonly delivery: Delivery
  readonly makeJti: MakeJti
}

/**
 * Gives the context.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` while the Transmitter is not started
 */
export type Running = () => OperationContext

/** The error of whoever does not wait for `start`. */
export const notStarted = (call: string): StorageError =>
  new StorageError('ERR_STORAGE_UNAVAILABLE', `await start() before ${call}`)

/** @throws StreamError `ERR_STREAM_NOT_FOUND` (404) */
export function findStream({ management }: OperationContext, streamId: string): Stream {
  const stream = management.streams.find(streamId)
  if (!stream) throw noSuchStream()
  return stream
}

/**
 * Finds a stream that is to get SETs once more. What is not disabled takes them.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_CONFLICT` (409)
 */
export function findReceivingStream(context: OperationContext, streamId: string): Stream {
  const stream = findStream(context, streamId)
  if (stream.status !== 'disabled') return stream
  throw new StreamError('ERR_STREAM_CONFLICT', 409, 'the stream is disabled: enable it first')
}
