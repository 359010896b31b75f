import type { EventType } from './event-type.ts'
import type { SecurityEvent } from './sets/security-event-token.ts'

/**
 * What an event of one of these types is. A union of event types gives a union of events, which
 * `switch (event.type) { case SessionRevoked.uri: … }` narrows.
 *
 * @example
 *   type Revocation = EventOf<typeof SessionRevoked | typeof SessionsRevoked>
 */
export type EventOf<Type extends EventType> =
  Type extends EventType<infer Payload, infer Uri> ? SecurityEvent<Payload, Uri> : never

/**
 * Tells whether an event is of one of these types. By its type URI alone: that the payload fits was
 * seen to when the event was received.
 *
 * @example
 *   if (isEventOf(event, ...caepEventTypes)) {
 *     switch (event.type) {
 *       case CredentialChange.uri:
 *         return event.payload.change_type
 *     }
 *   }
 */
export function isEventOf<Types extends readonly EventType[]>(
  event: SecurityEvent,
  ...types: Types
): event is EventOf<Types[number]> {
  return types.some(({ uri }) => uri === event.type)
}
