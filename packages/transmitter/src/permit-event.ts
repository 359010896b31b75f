import type { Subject } from '@drawbridge/schema'

/** An event that is about to be recorded for a stream. */
export interface EventToPermit {
  /** The event type URI. */
  readonly type: string
  readonly payload: object
  readonly subject: Subject
}

/**
 * Tells whether a Receiver may learn of an event. Where it throws, `transmit` rejects and nothing
 * is recorded.
 *
 * @see OpenID SSF 1.0, "Information Harvesting"
 */
export type PermitEvent = (
  event: EventToPermit,
  receiver: { readonly id: string; readonly audience: string },
) => boolean | Promise<boolean>

/** Lets every Receiver learn of every event. Right where all of them belong to one organization. */
export const permitAll: PermitEvent = () => true
