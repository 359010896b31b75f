import type { Clock } from '@drawbridge/core'
import { laneKey, type Subject } from '@drawbridge/schema'
import type { MakeJti } from './jti.ts'
import type { EntryKind, OutboxEntry } from './store/transmitter-store.ts'
import type { Stream } from './streams/stream.ts'

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

/** Makes the entry of an event for one stream. Each has a `jti` of its own. */
export type MakeEntry = (event: EventToRecord, stream: Stream, kind?: EntryKind) => OutboxEntry

/** What {@link createMakeEntry} needs. */
export interface MakeEntryContext {
  readonly issuer: string
  readonly clock: Clock
  readonly makeJti: MakeJti
}

/** Makes the maker of the entries of one Transmitter. */
export function createMakeEntry({ issuer, clock, makeJti }: MakeEntryContext): MakeEntry {
  return (event, { stream_id, aud }, kind = 'event') => {
    const jti = makeJti()
    const claims = claimsOf(issuer, { ...event, jti, aud })
    const lane = laneKey(event.subject)
    return { stream_id, jti, kind, lane, claims, recorded_at: clock.now() }
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
