import { describe, expect, it } from '@jest/globals'
import type { HookCall } from '@drawbridge/enforcement'
import { reachedBy, together } from '@drawbridge/enforcement/hooks'
import { callWith, failureOf } from './ready-made-peer.ts'
import { aliceSince, idp } from './signals.ts'

describe('together', () => {
  it('calls every hook with the call, and waits for all', async () => {
    const calls: unknown[] = []
    const call = callWith()
    const slow = async (given: HookCall): Promise<void> => {
      await new Promise(setImmediate)
      calls.push(given)
    }
    await together(slow, slow, (given) => calls.push(given))(call)
    expect(calls).toEqual([call, call, call])
  })
  it('fails after the others are done where one fails', async () => {
    const done: string[] = []
    const hook = together(
      () => {
        throw new Error('one')
      },
      async () => {
        await new Promise(setImmediate)
        done.push('two')
      },
    )
    const { message, errors } = await failureOf(hook(callWith()))
    expect([message, errors.map((error) => error.message)]).toEqual([
      '1 of 2 hooks failed',
      ['one'],
    ])
    expect(done).toEqual(['two'])
  })
  it('passes on how long a peer asked to wait', async () => {
    const hook = together(() => Promise.reject(Object.assign(new Error('no'), { retryAfterMs: 5 })))
    expect((await failureOf(hook(callWith()))).retryAfterMs).toBe(5)
    const other = await failureOf(together(() => Promise.reject(undefined))(callWith()))
    expect([other.message, 'retryAfterMs' in other]).toEqual(['1 of 1 hooks failed', false])
  })
})

describe('reachedBy', () => {
  it('judges as the guard does', () => {
    expect(reachedBy(callWith(), aliceSince(0))).toBe(true)
    expect(reachedBy(callWith(), aliceSince(1))).toBe(false)
    expect(reachedBy(callWith(), aliceSince(0, { issuer: `${idp}/other` }))).toBe(false)
    expect(reachedBy(callWith({ effect: 'suspend', reaches: 'all' }), aliceSince(9))).toBe(true)
  })
  it('counts the tolerance of a local clock, 30 s unless said otherwise', () => {
    const local = (seconds: number) => aliceSince(seconds, { beganIsLocal: true })
    expect([reachedBy(callWith(), local(30)), reachedBy(callWith(), local(31))]).toEqual([
      true,
      false,
    ])
    expect(reachedBy(callWith(), local(2), 1)).toBe(false)
  })
  it('refuses what cannot be judged', () => {
    expect(() => reachedBy(callWith(), aliceSince(Number.NaN))).toThrow('"who.began"')
  })
})
