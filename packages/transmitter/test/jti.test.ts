import { describe, expect, it } from '@jest/globals'
import { createJti } from '../src/jti.ts'

describe('createJti', () => {
  it('makes UUIDs of version 7 with the time in front', () => {
    const jti = createJti(() => 0x0123456789ab)()
    expect(jti).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('keeps the order of the calls within one millisecond, over the range of the counter', () => {
    const makeJti = createJti(() => 1_000)
    const made = Array.from({ length: 20_000 }, () => makeJti())
    expect(made.toSorted()).toEqual(made)
    expect(new Set(made).size).toBe(made.length)
  })

  it('keeps the order when the clock is set back', () => {
    let now = 5_000
    const makeJti = createJti(() => now)
    const before = makeJti()
    now = 1_000
    const between = makeJti()
    now = 5_001
    expect([before, between, makeJti()].toSorted()).toEqual([before, between, expect.anything()])
    expect(between > before).toBe(true)
  })
})
