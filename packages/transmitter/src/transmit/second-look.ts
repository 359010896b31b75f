import type { SetClaims } from '@drawbridge/schema'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { permitAll } from '../permit-event.ts'
import type { Settings } from '../settings.ts'
import type { StreamRegistry } from '../streams/stream-registry.ts'
import type { StreamSubjects } from '../streams/stream-subjects.ts'
import { permittedStreams } from './transmit.ts'

/** Tells whether the Receiver of a stream may still learn of an event that waits. */
export type SecondLook = (streamId: string, claims: string) => Promise<boolean>

/** What {@link createSecondLook} needs. */
export interface SecondLookContext {
  readonly settings: Settings
  readonly streams: StreamRegistry
  readonly subjects: StreamSubjects
}

/** About the stream itself: its own subject is part of every stream and cannot be removed. */
const ownTypes: ReadonlySet<string> = new Set([Verification.uri, StreamUpdated.uri])

/**
 * Makes the look that is taken before each delivery: between `transmit` and now a subject may have
 * been removed, or a Receiver have lost what `permitEvent` grants. Where neither can happen it
 * costs nothing.
 *
 * @see OpenID SSF 1.0, "Information Harvesting"
 */
export function createSecondLook({ settings, streams, subjects }: SecondLookContext): SecondLook {
  return async (streamId, claims) => {
    const stream = streams.find(streamId)
    if (!stream) return false
    const allMayLearn = settings.permitEvent === permitAll
    if (allMayLearn && subjects.isOpen(stream)) return true
    const { sub_id: subject, events } = JSON.parse(claims) as SetClaims
    const [[type, payload] = ['', {}]] = Object.entries(events)
    if (ownTypes.has(type)) return true
    const withSubject = await subjects.streamsWith(subject, [stream])
    const event = { type, payload, subject }
    return (await permittedStreams(event, withSubject, settings)).length > 0
  }
}
