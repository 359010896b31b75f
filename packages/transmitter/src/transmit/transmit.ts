import { createLanes, OptionsError } from '@drawbridge/core'
import {
  checkEventSubject,
  checkPayload,
  laneKey,
  subjectOf,
  type EventType,
  type SubjectInput,
} from '@drawbridge/schema'
import { judgeAsProfiles } from '../as-profile.ts'
import type { EventToPermit } from '../permit-event.ts'
import type { MakeJti } from '../jti.ts'
import type { Outbox, RecordedDelivery } from '../outbox.ts'
import type { EventToRecord } from '../outbox-entry.ts'
import type { Settings } from '../settings.ts'
import type { StreamRegistry } from '../streams/stream-registry.ts'
import type { StreamSubjects } from '../streams/stream-subjects.ts'
import type { Stream } from '../streams/stream.ts'

/** What may be said about an event besides its payload. */
export interface TransmitOptions {
  /**
   * Names the cause, where one cause leads to several events. Default: one that no other event has.
   *
   * @see OpenID SSF 1.0, "The txn Claim"
   */
  readonly txn?: string
}

/** What was recorded. */
export interface Transmitted {
  readonly txn: string
  /** One SET for each stream that wants the event. */
  readonly deliveries: readonly RecordedDelivery[]
}

/** Judges an event, matches it with the streams, and records it. */
export type Transmit = <Payload extends object>(
  event: {
    readonly type: EventType<Payload>
    readonly subject: SubjectInput
    readonly payload: Payload
  },
  options?: TransmitOptions,
) => Promise<Transmitted>

/** What {@link createTransmit} needs. */
export interface TransmitContext {
  readonly settings: Settings
  readonly makeJti: MakeJti
  readonly streams: StreamRegistry
  readonly subjects: StreamSubjects
  readonly outbox: Outbox
}

/**
 * Makes `transmit` of one Transmitter. Events about one principal are recorded in the order of the
 * calls, however long `permitEvent` thinks about each.
 */
export function createTransmit(context: TransmitContext): Transmit {
  const { settings, makeJti, streams, outbox } = context
  const lanes = createLanes()
  const supported = new Set(settings.eventsSupported.map(({ uri }) => uri))
  return async (event, options = {}) => {
    const payload = checkPayload(event.type, event.payload)
    const subject = subjectOf(event.subject)
    checkEventSubject(event.type, subject)
    const { uri: type } = event.type
    if (!supported.has(type)) {
      // It would be recorded for nobody, and the caller would think that it was told.
      throw new OptionsError('transmit', [
        '"type" must be one of "eventsSupported" of createTransmitter: no Receiver can ask for another',
      ])
    }
    const txn = options.txn ?? makeJti()
    // Never in the future, so: down to the second.
    const iat = Math.floor(settings.clock.now() / 1000)
    const toRecord: EventToRecord = { type, payload, subject, txn, iat }
    const wanting = streams.list().filter((stream) => wants(stream, type))
    const permitted = streamsThatMay({ type, payload, subject }, wanting, context)
    // It is waited for in its turn: until then, nobody handles what it throws.
    permitted.catch(() => undefined)
    const recording = await lanes.run(laneKey(subject), async () => {
      const receiving = await permitted
      judgeAsProfiles(toRecord, receiving, settings)
      // The turn ends with the call, not with the commit: events of one lane share commits too.
      return { deliveries: outbox.record(toRecord, receiving) }
    })
    return { txn, deliveries: await recording.deliveries }
  }
}

const wants = ({ status, events_delivered }: Stream, type: string): boolean =>
  status !== 'disabled' && events_delivered.includes(type)

/** Those that have the subject, and whose Receivers may learn of the event. */
async function streamsThatMay(
  event: EventToPermit,
  wanting: readonly Stream[],
  { settings, subjects }: TransmitContext,
): Promise<readonly Stream[]> {
  const streams = await subjects.streamsWith(event.subject, wanting)
  return permittedStreams(event, streams, settings)
}

/** Those streams of whose Receivers `permitEvent` says that they may learn of an event. */
export async function permittedStreams(
  event: EventToPermit,
  streams: readonly Stream[],
  { permitEvent }: Settings,
): Promise<readonly Stream[]> {
  const answers = await Promise.all(
    streams.map(async ({ receiver, aud }) => permitEvent(event, { id: receiver, audience: aud })),
  )
  // Only a clear yes: a function that forgot to return something permits nothing.
  return streams.filter((_, index) => answers[index] === true)
}
