import { describe, expect, it } from '@jest/globals'
import { issSub, readSet, type SecurityEvent } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createHandlers, type HandlerContext } from '../src/handling/handlers.ts'

const iss = 'https://idp.example'
const { events } = readSet({
  iss,
  aud: 'app',
  iat: 1_750_000_000,
  jti: 'j1',
  sub_id: issSub(iss, 'alice'),
  events: { [SessionRevoked.uri]: {} },
})
const event: SecurityEvent = events[0]

const never = new Promise<never>(() => undefined)

describe('the time of a handler', () => {
  it('ends: the signal aborts, and the event is unfinished', async () => {
    const handlers = createHandlers({ timeoutMs: 5, maxConcurrent: 1 })
    let signal: AbortSignal | undefined
    handlers.handle('*', async (_event, context) => {
      signal = context.signal
      await never
    })
    await expect(handlers.run(event)).rejects.toThrow('a handler took longer than 5 ms')
    expect(signal?.aborted).toBe(true)
    expect(String(signal?.reason)).toContain('took longer than 5 ms')
  })

  it('is over for a hook that looks at its signal later', async () => {
    const handlers = createHandlers({ timeoutMs: 5, maxConcurrent: 1 })
    let late: HandlerContext | undefined
    handlers.onSessionTermination(async (context) => {
      late = context
      await never
    })
    await expect(handlers.run(event)).rejects.toThrow('took longer')
    expect(late?.signal.aborted).toBe(true)
    expect(late?.signal).toBe(late?.signal)
  })

  it('does not matter to one that is done at once, and what that throws is thrown', async () => {
    const handlers = createHandlers({ timeoutMs: 1, maxConcurrent: 1 })
    const seen: unknown[] = []
    handlers.onSessionTermination(({ key, subject, cause, signal }) => {
      seen.push(key, subject, cause === event, signal.aborted)
    })
    await handlers.run(event)
    expect(seen).toEqual([
      JSON.stringify([iss, 'j1', event.type]),
      issSub(iss, 'alice'),
      true,
      false,
    ])
    handlers.handle('*', () => {
      throw new Error('at once')
    })
    await expect(handlers.run(event)).rejects.toThrow('at once')
  })

  it('is each one’s own: one that is done leaves the next its whole time', async () => {
    const handlers = createHandlers({ timeoutMs: 1000, maxConcurrent: 1 })
    const order: string[] = []
    handlers.handle('*', async () => {
      await Promise.resolve()
      order.push('first')
    })
    handlers.handle('*', () => void order.push('second'))
    await handlers.run(event)
    expect(order).toEqual(['first', 'second'])
  })
})
