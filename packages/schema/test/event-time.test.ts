import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { eventTime } from '@drawbridge/schema'

const iat = 1_750_000_000
const year = 365 * 24 * 3600
const names = (payload: object, toe?: number): string[] =>
  eventTime({ iat, ...(toe === undefined ? {} : { toe }) }, payload).notices.map(({ name }) => name)

describe('eventTime', () => {
  it('CAEP-2-1: is "event_timestamp", else "toe", else "iat"', () => {
    const event_timestamp = iat - 5
    expect(eventTime({ iat, toe: iat - 9 }, { event_timestamp }).time).toBe(iat - 5)
    expect(eventTime({ iat, toe: iat - 9 }, {}).time).toBe(iat - 9)
    expect(eventTime({ iat }, {}).time).toBe(iat)
    expect(eventTime({ iat, toe: iat - 9 }, { event_timestamp: '7' }).time).toBe(iat - 9)
  })

  it('CAEP-2-1: recognises milliseconds and says so', () => {
    const payload = { event_timestamp: (iat - 5) * 1000 }
    expect(eventTime({ iat }, payload).time).toBe(iat - 5)
    expect(names(payload)).toEqual(['event-time-milliseconds'])
    expect(names({}, (iat - 5) * 1000)).toEqual(['event-time-milliseconds'])
  })

  it('CAEP-3.1-5: takes "iat" where the time is after it, so that no later session ends', () => {
    const payload = { event_timestamp: iat + 60 }
    expect(eventTime({ iat }, payload).time).toBe(iat)
    expect(names(payload)).toEqual(['event-time-in-future'])
    expect(names({ event_timestamp: (iat + 60) * 1000 })).toEqual([
      'event-time-milliseconds',
      'event-time-in-future',
    ])
  })

  it('leaves the fraction of the second in which the SET was issued', () => {
    expect(eventTime({ iat }, { event_timestamp: iat + 0.9 })).toEqual({
      time: iat + 0.9,
      notices: [],
    })
  })

  it('takes "iat" where the time is more than a year before it', () => {
    expect(eventTime({ iat }, { event_timestamp: iat - year - 1 }).time).toBe(iat)
    expect(names({ event_timestamp: iat - year - 1 })).toEqual(['event-time-long-ago'])
    expect(names({ event_timestamp: 0 })).toEqual(['event-time-long-ago'])
    expect(names({ event_timestamp: iat - year })).toEqual([])
  })

  it('is never more than a second after "iat", and never a year before it', () => {
    fc.assert(
      fc.property(
        fc.double(),
        fc.option(fc.double({ min: 0 }), { nil: undefined }),
        (stamp, toe) => {
          const claims = { iat, ...(toe === undefined || Number.isNaN(toe) ? {} : { toe }) }
          const { time } = eventTime(claims, { event_timestamp: stamp })
          expect(time).toBeLessThan(iat + 1)
          expect(time).toBeGreaterThanOrEqual(iat - year)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
