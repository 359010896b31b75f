import { isObject } from '../json.ts'
import { isMilliseconds, millisecondsNotice } from '../sets/event-time.ts'
import type { Notice } from '../sets/notice.ts'
import type { ReadContext } from './profile.ts'

/** The claims of a SET on their way to the 1.0 form. */
export type Claims = Readonly<Record<string, unknown>>

/** One thing that is put right, and its notice. */
export interface Tolerance extends Notice {
  /** Returns changed claims, undefined where there is nothing to put right. Changes nothing given. */
  readonly apply: (claims: Claims, context: ReadContext) => Claims | undefined
}

/**
 * Makes a tolerance for event objects.
 *
 * @param mend Returns a changed event object, undefined where there is nothing to put right
 */
export function inEvents(
  notice: Notice,
  mend: (payload: Claims, type: string) => Claims | undefined,
): Tolerance {
  return {
    ...notice,
    apply: (claims) => {
      const { events } = claims
      if (!isObject(events)) return undefined
      let changed = false
      const mended = Object.entries(events).map(([type, payload]): [string, unknown] => {
        const better = isObject(payload) ? mend(payload, type) : undefined
        changed ||= better !== undefined
        return [type, better ?? payload]
      })
      return changed ? { ...claims, events: Object.fromEntries(mended) } : undefined
    },
  }
}

/** Reads times in milliseconds, whoever sends them: `event_timestamp` and `toe` become seconds. */
export const timesInSeconds: Tolerance = {
  ...millisecondsNotice,
  apply: (claims, context) => {
    const { toe } = claims
    const inClaims =
      typeof toe === 'number' && isMilliseconds(toe) ? { ...claims, toe: toe / 1000 } : undefined
    return stampsInSeconds.apply(inClaims ?? claims, context) ?? inClaims
  },
}

const stampsInSeconds = inEvents(millisecondsNotice, (payload) => {
  const stamp = payload['event_timestamp']
  if (typeof stamp !== 'number' || !isMilliseconds(stamp)) return undefined
  return { ...payload, event_timestamp: stamp / 1000 }
})

const base = 'https://schemas.openid.net/secevent'

/** Names that drafts had for event types. */
const draftNames: ReadonlyMap<string, string> = new Map([
  [`${base}/risc/event-type/verification`, `${base}/ssf/event-type/verification`],
  [`${base}/sse/event-type/verification`, `${base}/ssf/event-type/verification`],
  [`${base}/sse/event-type/stream-updated`, `${base}/ssf/event-type/stream-updated`],
  [`${base}/caep/event-type/token-claims-changed`, `${base}/caep/event-type/token-claims-change`],
])

/** The name that 1.0 has for an event type. */
const finalName = (type: string): string => draftNames.get(type) ?? type

/**
 * Two names of one event type in one SET are one event: the final name stays. Every profile reads
 * it so.
 *
 * @see OpenID SSF 1.0, "The events Claim"
 */
export const alternativeNames: Tolerance = {
  name: 'alternative-names',
  message: 'the event came under two names of its type; the final one was read',
  apply: (claims) => {
    const { events } = claims
    if (!isObject(events)) return undefined
    const entries = Object.entries(events)
    const kept = entries.filter(
      ([type]) => finalName(type) === type || !Object.hasOwn(events, finalName(type)),
    )
    return kept.length < entries.length
      ? { ...claims, events: Object.fromEntries(kept) }
      : undefined
  },
}

/** Reads the names that drafts had for event types. */
export const draftEventNames: Tolerance = {
  name: 'draft-event-name',
  message: 'the event type has the name of a draft; it was read as the final one',
  apply: (claims) => {
    const { events } = claims
    if (!isObject(events) || !Object.keys(events).some((type) => draftNames.has(type))) {
      return undefined
    }
    const entries = Object.entries(events).map(([type, payload]) => [finalName(type), payload])
    return { ...claims, events: Object.fromEntries(entries) as Claims }
  },
}
