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

/**
 * Makes the entries of an event, for one stream after the other. Each has a `jti` of its own; what
 * they share is made once.
 */
export type MakeEntry = (event: EventToRecord, kind?: EntryKind) => (stream: Stream) => OutboxEntry

/** What {@link createMakeEntry} needs. */
export interface MakeEntryContext {
  readonly issuer: string
  readonly clock: Clock
  readonly makeJti: MakeJti
}

/** Makes the maker of the entries of one Transmitter. */
export function createMakeEntry({ issuer, clock, makeJti }: MakeEntryContext): MakeEntry {
  return (event, kind = 'event') => {
    const lane = laneKey(event.subject)
    const recorded_at = clock.now()
    const claimsFor = claimsOf(issuer, event)
    return ({ stream_id, aud }) => {
      const jti = makeJti()
      return { stream_id, jti, kind, lane, claims: claimsFor(jti, aud), recorded_at }
    }
  }
}

/**
 * The claims of a SET, JSON: no `sub`, no `exp`, so that it never passes for another kind of token.
 * Only two of them differ from stream to stream.
 *
 * @see OpenID SSF 1.0, "Distinguishing SETs from other Kinds of JWTs"
 */
function claimsOf(iss: string, event: EventToRecord): (jti: string, aud: string) => string {
  const { iat, txn, subject, type, payload } = event
  const shared = JSON.stringify({ iss, iat, txn, sub_id: subject, events: { [type]: payload } })
  return (jti, aud) => `{"jti":"${jti}","aud":${JSON.stringify(aud)},${shared.slice(1)}`
}
