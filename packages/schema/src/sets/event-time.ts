import type { Notice } from './notice.ts'

/** Seconds since 1970 are below it until the year 5138, milliseconds above it since 1973. */
const smallestMilliseconds = 1e11

/** No session that is older can still be alive; a time before it is a wrong unit or a wrong clock. */
const farBeforeSeconds = 365 * 24 * 3600

/** Tells whether a time can only be in milliseconds. */
export const isMilliseconds = (time: number): boolean =>
  time > smallestMilliseconds && Number.isFinite(time)

/** Says that a time came in milliseconds. */
export const millisecondsNotice: Notice = {
  name: 'event-time-milliseconds',
  message: 'the time of the event is in milliseconds and was read so',
}

/**
 * Finds T, when an event happened: `event_timestamp`, else `toe`, else `iat`. Milliseconds are
 * recognised. A T after `iat` or more than a year before it becomes `iat`, so that a wrong clock or
 * unit can neither end what begins later nor make a revocation miss everything. Each correction is
 * a notice, never an error.
 */
export function eventTime(
  { iat, toe }: { readonly iat: number; readonly toe?: number },
  payload: object,
): { readonly time: number; readonly notices: readonly Notice[] } {
  const stamp = (payload as Record<string, unknown>)['event_timestamp']
  let time = typeof stamp === 'number' && Number.isFinite(stamp) ? stamp : toe
  if (time === undefined) return { time: iat, notices: [] }
  const notices: Notice[] = []
  if (isMilliseconds(time)) {
    time /= 1000
    notices.push(millisecondsNotice)
  }
  if (time > iat && Math.floor(time) > iat) {
    notices.push({
      name: 'event-time-in-future',
      message: 'the time of the event is after "iat"; "iat" was taken',
    })
    return { time: iat, notices }
  }
  if (time < iat - farBeforeSeconds) {
    notices.push({
      name: 'event-time-long-ago',
      message: 'the time of the event is more than a year before "iat"; "iat" was taken',
    })
    return { time: iat, notices }
  }
  return { time, notices }
}
