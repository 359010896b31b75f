import type { Emitter } from '@drawbridge/core'
import { laneKey, type Subject } from '@drawbridge/schema'
import type { MakeJti } from './jti.ts'
import type { Settings } from './settings.ts'
import type { OutboxEntry, TransmitterStore } from './store/transmitter-store.ts'
import type { Stream } from './streams/stream.ts'
import type { TransmitterEvents } from './transmitter-events.ts'

/** An event as every stream's SET has it. */
export interface EventToRecord {
  /** The event type URI. */
  readonly type: string
  readonly payload: object
  readonly subject: Subject
  readonly txn: string
  /** NumericDate. */
  readonly iat: number
}

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
  readonly store: TransmitterStore
  readonly settings: Settings
  readonly makeJti: MakeJti
  readonly emitter: Emitter<TransmitterEvents>
  /** Tells the delivery of new rows. */
  readonly wake: (streamId: string) => void
}

/** Makes the outbox of one Transmitter. */
export function createOutbox(context: OutboxContext): Outbox {
  const { store, settings, makeJti, emitter, wake } = context
  return {
    record: async (event, streams) => {
      const lane = laneKey(event.subject)
      const entries = streams.map((stream): OutboxEntry => {
        const jti = makeJti()
        const claims = claimsOf(settings.issuer, { ...event, jti, aud: stream.aud })
        return { stream_id: stream.stream_id, jti, lane, claims }
      })
      const recorded = entries.length > 0 ? await store.append(entries) : []
      const deliveries = recorded.map(({ stream_id, jti }) => ({ stream_id, jti }))
      const { type, txn } = event
      emitter.emit('event:recorded', { at: settings.clock.now(), type, txn, deliveries })
      for (const { stream_id } of deliveries) wake(stream_id)
      return deliveries
    },
  }
}

/**
 * The claims of a SET, JSON: no `sub`, no `exp`, so that it never passes for another kind of token.
 *
 * @see OpenID SSF 1.0, "Distinguishing SETs from other Kinds of JWTs"
 */
function claimsOf(iss: string, event: EventToRecord & { jti: string; aud: string }): string {
  const { iat, jti, aud, txn, subject, type, payload } = event
  return JSON.stringify({ iss, iat, jti, aud, txn, sub_id: subject, events: { [type]: payload } })
}
