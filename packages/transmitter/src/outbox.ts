import type { Emitter } from '@drawbridge/core'
import type { EventToRecord, MakeEntry } from './outbox-entry.ts'
import type { Settings } from './settings.ts'
import type { IssuerStore } from './store/transmitter-store.ts'
import type { Stream } from './streams/stream.ts'
import type { TransmitterEvents } from './transmitter-events.ts'

/** A SET that was recorded. */
export interface RecordedDelivery {
  readonly stream_id: string
  readonly jti: string
}

/** Records events for streams. */
export interface Outbox {
  /**
   * Records an event for streams in one transaction. Calls are ordered as they are made. Streams
   * that were deleted or disabled meanwhile are left out.
   *
   * @returns When it is durable: the SETs
   */
  record(event: EventToRecord, streams: readonly Stream[]): Promise<readonly RecordedDelivery[]>
}

/** What an outbox needs. */
export interface OutboxContext {
  readonly store: IssuerStore
  readonly settings: Settings
  readonly makeEntry: MakeEntry
  readonly emitter: Emitter<TransmitterEvents>
  /** Tells the delivery of new rows. */
  readonly wake: (streamId: string) => void
}

/** Makes the outbox of one Transmitter. */
export function createOutbox(context: OutboxContext): Outbox {
  const { store, settings, makeEntry, emitter, wake } = context
  return {
    record: async (event, streams) => {
      const entries = streams.length > 0 ? streams.map(makeEntry(event)) : []
      const recorded = entries.length > 0 ? await store.append(entries) : []
      const deliveries = recorded.map(({ stream_id, jti }) => ({ stream_id, jti }))
      const { type, txn } = event
      emitter.emit('event:recorded', { at: settings.clock.now(), type, txn, deliveries })
      for (const { stream_id } of deliveries) wake(stream_id)
      return deliveries
    },
  }
}
