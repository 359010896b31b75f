import { describe, expect, it } from '@jest/globals'
import type { HookCall } from '@drawbridge/enforcement'
import { together } from '@drawbridge/enforcement/hooks'
import { callWith, failureOf } from './ready-made-peer.ts'

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
