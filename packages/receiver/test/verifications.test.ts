import { describe, expect, it } from '@jest/globals'
import { manualClock } from '@drawbridge/testkit'
import { createVerifications } from '../src/handling/verifications.ts'

describe('verifications', () => {
  it('SSF-8.1.4.1-5 SSF-8.1.4.1-6: a state holds for the stream it was made for, whichever is at hand', () => {
    const verifications = createVerifications(() => undefined, manualClock())
    const state = verifications.expect('one')
    expect(() => verifications.take({ state }, 'other')).toThrow('"state"')
    expect(() => verifications.take({ state: `${state}x` }, 'one')).toThrow('"state"')
    verifications.take({ state }, 'one')
    // It may come twice, as every SET.
    verifications.take({ state }, 'one')
  })

  it('of more than a hundred that never came, the oldest are forgotten', () => {
    const verifications = createVerifications(() => undefined, manualClock())
    const [first = '', second = ''] = Array.from({ length: 101 }, () => verifications.expect('one'))
    expect(() => verifications.take({ state: first }, 'one')).toThrow('"state"')
    verifications.take({ state: second }, 'one')
  })
})
