import type { StreamConfiguration, StreamStatusValue } from '@drawbridge/schema'
import type { DeliveryHealth } from '../delivery/delivery.ts'
import { removeStream } from '../streams/delete-stream.ts'
import { sendVerification } from '../streams/send-verification.ts'
import { setStatus, type StatusToSet } from '../streams/set-status.ts'
import { streamConfiguration } from '../streams/stream-configuration.ts'
import type { Stream } from '../streams/stream.ts'
import { findStream, type OperationContext, type Running } from './operation-context.ts'

/** A stream as the operator sees it. It holds no secret of its Receiver. */
export interface StreamReport {
  readonly stream_id: string
  /** `id` of the Receiver; empty for a static stream that nobody manages. */
  readonly receiver: string
  /** As the Receiver reads it, but for the `authorization_header`. */
  readonly configuration: StreamConfiguration
  readonly status: StreamStatusValue
  /** Why, in the words of whoever set the status. */
  readonly reason?: string
  readonly statusSetBy: 'receiver' | 'transmitter'
  readonly isStatic: boolean
  /** How many SETs wait. */
  readonly waiting: number
  /** When the oldest was recorded, in milliseconds since 1970. */
  readonly oldestWaitingAt?: number
  readonly deadLetters: number
  readonly delivery: DeliveryHealth
}

/** The streams in the operator's hands, whoever owns them. */
export interface StreamOperations {
  /** All streams, oldest first. */
  list(): Promise<readonly StreamReport[]>
  /** @throws StreamError `ERR_STREAM_NOT_FOUND` */
  read(streamId: string): Promise<StreamReport>
  /**
   * Changes the status. `paused` holds what waits, `disabled` drops it. Its Receiver is told first,
   * by a Stream Updated Event with the reason; where the stream has the status already, nothing
   * happens.
   *
   * @throws StreamError `ERR_STREAM_NOT_FOUND`
   * @see OpenID SSF 1.0, "Stream Updated Event"
   */
  updateStatus(streamId: string, status: StatusToSet): Promise<StreamReport>
  /**
   * Verifies a stream: a Verification Event without `state`, which waits its turn like every event.
   * `minVerificationIntervalSeconds` is for Receivers, not for this.
   *
   * @throws StreamError `ERR_STREAM_NOT_FOUND`
   * @see OpenID SSF 1.0, "Verification Event"
   */
  requestVerification(streamId: string): Promise<void>
  /**
   * Deletes a stream with everything on it. A static stream comes back at the next start, until it
   * is taken out of `staticStreams`.
   *
   * @throws StreamError `ERR_STREAM_NOT_FOUND`
   */
  delete(streamId: string): Promise<void>
}

/** Makes the operations on streams of one Transmitter. */
export function createStreamOperations(running: Running): StreamOperations {
  const read = async (streamId: string): Promise<StreamReport> => {
    const context = running()
    return report(context, findStream(context, streamId))
  }
  return {
    read,
    list: async () => {
      const context = running()
      const streams = context.management.streams.list()
      return Promise.all(streams.map((stream) => report(context, stream)))
    },
    updateStatus: async (streamId, status) => {
      const context = running()
      await setStatus(context.management, findStream(context, streamId), status)
      return read(streamId)
    },
    requestVerification: async (streamId) => {
      const context = running()
      await sendVerification(context.management, findStream(context, streamId))
    },
    delete: async (streamId) => {
      const context = running()
      await removeStream(context.management, findStream(context, streamId))
    },
  }
}

async function report(context: OperationContext, stream: Stream): Promise<StreamReport> {
  const { management, store, delivery } = context
  const { stream_id, receiver, status, reason, status_set_by: by = 'receiver', is_static } = stream
  const { rows, oldest_at: oldest, dead_letters } = await store.backlog(stream_id)
  return {
    stream_id,
    receiver,
    configuration: withoutSecret(streamConfiguration(stream, management.settings)),
    status,
    ...(reason === undefined ? {} : { reason }),
    statusSetBy: by,
    isStatic: is_static === true,
    waiting: rows,
    ...(oldest === undefined ? {} : { oldestWaitingAt: oldest }),
    deadLetters: dead_letters,
    delivery: delivery.healthOf(stream_id),
  }
}

function withoutSecret({ delivery, ...configuration }: StreamConfiguration): StreamConfiguration {
  const { authorization_header: _, ...shown } = { authorization_header: '', ...delivery }
  return { ...configuration, delivery: shown }
}
