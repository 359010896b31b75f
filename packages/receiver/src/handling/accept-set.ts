import { createLanes, type Clock } from '@drawbridge/core'
import {
  checkPayload,
  laneKey,
  SetError,
  type EventType,
  type OtherSubject,
  type Profile,
  type SecurityEvent,
  type SecurityEventToken,
  type SetErrorCode,
  type SetErrorReport,
  type Subject,
} from '@drawbridge/schema'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import type { ConnectionEmitter } from '../receiver-events.ts'
import type { VerifySet } from '../verify-set.ts'
import type { Handlers } from './handlers.ts'
import type { Inbox } from './inbox.ts'
import type { Verifications } from './verifications.ts'

/** What became of a SET. Push and poll each say it in their own way. */
export type Outcome =
  /** Everything it changes is done: 202, or `ack`. */
  | { readonly kind: 'acknowledged' }
  /** It does not hold: 400, or `setErrs`. */
  | { readonly kind: 'rejected'; readonly report: SetErrorReport & { readonly err: SetErrorCode } }
  /** It could not be handled now: 503, or neither `ack` nor `setErrs`. It comes again. */
  | { readonly kind: 'unfinished' }

/** A SET that was verified and waits for its turn. */
export interface VerifiedSet {
  /** Its event; of several, the first. */
  readonly event: SecurityEvent
  /** Handles it, after earlier ones about the same principal. Never rejects. */
  finish(): Promise<Outcome>
}

/** The two steps of taking a SET in. Neither rejects. */
export interface AcceptSet {
  /** Verifies a SET; what does not hold is an outcome already. */
  verify(token: string): Promise<VerifiedSet | Outcome>
  /** Verifies and handles a SET. */
  accept(token: string): Promise<Outcome>
}

/**
 * When a SET is acknowledged.
 *
 * - `handled`: when its handlers are done. Where one fails, the Transmitter sends it again.
 * - `stored`: when it is in the inbox. Where a handler fails, the Receiver tries it again. For
 *   handlers that are slow.
 */
export type Acknowledge = 'handled' | 'stored'

/** What {@link createAcceptSet} needs. */
export interface AcceptSetParts {
  readonly audience: string
  readonly eventTypes: readonly EventType[]
  readonly verifySet: VerifySet
  readonly profile: Profile
  /** The stream, once there is one. */
  readonly streamId: () => string | undefined
  /** A member of the subject that must be processed and cannot be; undefined where all can. */
  readonly criticalMember: (subject: Subject) => Promise<string | undefined>
  readonly handlers: Handlers
  /** Aborts when the Receiver stops: what waits for its handlers then is left to come again. */
  readonly stopping: () => AbortSignal
  /** Told of every SET that holds: a sign of life. */
  readonly heard: () => void
  readonly inbox: Inbox
  /** Resolves when the inbox is open. */
  readonly ready: () => Promise<void>
  /** When a SET is acknowledged: once it is handled, or once it is kept. */
  readonly acknowledge: Acknowledge
  /** Keeps a SET to be handled soon; resolves when it is durable. */
  readonly keep: (set: SecurityEventToken) => Promise<void>
  readonly verifications: Verifications
  readonly emitter: ConnectionEmitter
  readonly clock: Clock
}

const acknowledged: Outcome = { kind: 'acknowledged' }

/** Clocks of honest peers differ by less. */
const toleranceSeconds = 60

/**
 * Makes the way a SET takes in: verify, judge, recognise what was handled before, handle, remember.
 * Only what is wrong with the SET itself is rejected; whatever else fails leaves it unfinished.
 */
export function createAcceptSet(parts: AcceptSetParts): AcceptSet {
  const { emitter, clock, inbox } = parts
  const lanes = createLanes()
  const types = new Map(parts.eventTypes.map((type) => [type.uri, type]))
  /** Repetitions of a SET that is being handled share its outcome: they must not pile up behind it. */
  const underWay = new Map<string, Promise<Outcome>>()

  const fail = (error: unknown): Outcome => {
    const at = clock.now()
    if ((error as { name?: unknown } | null)?.name === 'SetError') {
      const { err, message } = error as SetError
      emitter.emit('set:rejected', { at, err, cause: error })
      return { kind: 'rejected', report: { err, description: message } }
    }
    emitter.emit('set:unfinished', { at, cause: error })
    return { kind: 'unfinished' }
  }

  const judge = (claims: unknown): SecurityEventToken => {
    const streamId = parts.streamId()
    const read = parts.profile.read(claims, streamId === undefined ? {} : { streamId })
    const set = notInFuture(read, Math.floor(clock.now() / 1000))
    for (const event of set.events) {
      if (!event.aud.includes(parts.audience)) {
        throw new SetError(
          'ERR_SET_AUDIENCE',
          'invalid_audience',
          '"aud" does not name this Receiver',
        )
      }
      const type = parts.handlers.typeOf(event.type) ?? types.get(event.type)
      if (type) checkPayload(type, event.payload)
    }
    return set
  }

  const tellNotices = ({ notices, claims: { jti } }: SecurityEventToken): void => {
    for (const notice of notices) emitter.emit('set:noticed', { at: clock.now(), jti, notice })
  }

  /**
   * Handles the events of a SET, or keeps them to be handled. What it throws is no fault of the
   * SET.
   */
  const take = async (set: SecurityEventToken, events: readonly SecurityEvent[]): Promise<void> => {
    const { iss, jti, sub_id: subject } = set.claims
    const at = clock.now()
    tellNotices(set)
    for (const event of events) emitter.emit('set:verified', { at, event })
    const member = await parts.criticalMember(subject)
    if (member !== undefined) {
      await inbox.markHandled({ iss, jti }, clock.now())
      emitter.emit('set:discarded', { at: clock.now(), jti, member })
    } else if (parts.acknowledge === 'stored') {
      await parts.keep(set)
    } else {
      for (const event of events) await parts.handlers.run(event, parts.stopping())
      await inbox.markHandled({ iss, jti }, clock.now())
      for (const event of events) emitter.emit('set:handled', { at: clock.now(), event })
    }
  }

  const finish = async (set: SecurityEventToken): Promise<Outcome> => {
    const { iss, jti } = set.claims
    let events: readonly SecurityEvent[]
    try {
      events = set.events.filter((event) => !takeProtocolEvent(event, parts))
    } catch (error) {
      return fail(error)
    }
    if (events.length === 0) {
      tellNotices(set)
      return acknowledged
    }
    try {
      await parts.ready()
      if ((await inbox.read({ iss, jti })) === 'unknown') await take(set, events)
      else emitter.emit('set:repeated', { at: clock.now(), iss, jti })
      return acknowledged
    } catch (cause) {
      // Whatever a handler throws: the Transmitter is not told that its SET is wrong.
      emitter.emit('set:unfinished', { at: clock.now(), cause })
      return { kind: 'unfinished' }
    }
  }

  const finishOnce = (set: SecurityEventToken): Promise<Outcome> => {
    const [{ iss, jti, subject }] = set.events
    const key = JSON.stringify([iss, jti])
    const running = underWay.get(key)
    if (running) return running
    const outcome = lanes
      .run(laneKey(subject), () => finish(set))
      .finally(() => underWay.delete(key))
    underWay.set(key, outcome)
    return outcome
  }

  const verify = async (token: string): Promise<VerifiedSet | Outcome> => {
    try {
      const set = judge(await parts.verifySet(token))
      parts.heard()
      return { event: set.events[0], finish: () => finishOnce(set) }
    } catch (error) {
      return fail(error)
    }
  }

  return {
    verify,
    async accept(token) {
      const result = await verify(token)
      return 'finish' in result ? await result.finish() : result
    },
  }
}

/** Takes the events that are about the stream itself; true when it was one. */
function takeProtocolEvent(event: SecurityEvent, parts: AcceptSetParts): boolean {
  const { verifications, emitter, clock } = parts
  if (event.type !== Verification.uri && event.type !== StreamUpdated.uri) return false
  const streamId = opaqueId(event)
  if (event.type === Verification.uri) {
    verifications.take(checkPayload(Verification, event.payload), streamId)
    emitter.emit('stream:verified', { at: clock.now(), stream_id: streamId ?? '' })
  } else {
    const { status } = checkPayload(StreamUpdated, event.payload)
    emitter.emit('stream:updated', { at: clock.now(), status })
  }
  return true
}

function opaqueId({ subject }: SecurityEvent): string | undefined {
  const { format, id } = subject as OtherSubject
  return format === 'opaque' && typeof id === 'string' ? id : undefined
}

/**
 * An `iat` ahead of our clock would reach what begins until then: the event counts as of now. It is
 * never refused for it, for a revocation with a wrong clock is a revocation.
 */
export function notInFuture(set: SecurityEventToken, now: number): SecurityEventToken {
  const { nbf } = set.claims
  if (typeof nbf === 'number' && nbf > now + toleranceSeconds) {
    throw new SetError('ERR_SET_CLAIM', 'invalid_request', '"nbf" is in the future')
  }
  if (set.events.every(({ time }) => time <= now + toleranceSeconds)) return set
  const notice = {
    name: 'issued-in-future',
    message: '"iat" is ahead of this clock; the event counts as of now',
  }
  const notices = [...set.notices, notice]
  const asOfNow = (event: SecurityEvent): SecurityEvent => ({
    ...event,
    time: Math.min(event.time, now),
    notices: [...event.notices, notice],
  })
  const [first, ...others] = set.events
  return { ...set, notices, events: [asOfNow(first), ...others.map(asOfNow)] }
}
