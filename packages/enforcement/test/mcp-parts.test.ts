import { describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createPolicy, type RuleEffect, type Who } from '@drawbridge/enforcement'
import { accessOf, type Caller, type McpEnforcement } from '../src/mcp/caller.ts'
import { streamUntil } from '../src/mcp/challenge.ts'
import { guardCall } from '../src/mcp/guard-call.ts'
import { mayUse } from '../src/mcp/tool-access.ts'
import { createToolWatches } from '../src/mcp/tool-watches.ts'
import { alice, aliceSince, laptop, revoked, startedNode } from './signals.ts'

const callerOf = (who: Who): Caller => ({
  who,
  needs: new Map([
    ['read', ['files:read']],
    ['write', ['files:write']],
  ]),
  listens: false,
})
const restrict = { effect: 'restrict', terms: { take: ['files:write'] } } as const

describe('what a session may use', () => {
  const rules: readonly RuleEffect[] = [
    { effect: 'shorten', terms: { lifetimeSeconds: 600 } },
    restrict,
    { effect: 'restrict', terms: { leave: ['files:write'] } },
    { effect: 'reauthenticate', terms: { maxAgeSeconds: 1 } },
    { effect: 'suspend' },
    { effect: 'terminate' },
  ]
  const lists = [undefined, [], ['files:read'], ['files:write'], ['files:read', 'files:write']]
  const granted = [undefined, [], ['files:read'], ['files:read', 'files:write']]
  it.each(rules)('is what the guard would allow after $effect $terms', async (rule) => {
    const { enforcement } = await startedNode({
      policy: createPolicy([{ on: SessionRevoked, ...rule }]),
    })
    const agree = (): void => {
      for (const grants of granted) {
        const who = aliceSince(-60, grants && { grants })
        for (const requires of lists) {
          const { outcome } = enforcement.check(who, requires && { requires })
          const usable = mayUse(requires, accessOf(enforcement, callerOf(who)))
          expect({ grants, requires, usable }).toEqual({
            grants,
            requires,
            usable: outcome === 'allow',
          })
        }
      }
    }
    agree()
    await enforcement.apply(revoked({ user: alice }))
    agree()
    await enforcement.stop()
    agree()
  })
})

describe('the watch of what a session may use', () => {
  /** The enforcement, and how often a session was looked at. */
  const counted = async () => {
    const { enforcement } = await startedNode()
    const looks = { count: 0 }
    const explain: McpEnforcement['explain'] = (who) => {
      looks.count += 1
      return enforcement.explain(who)
    }
    return { enforcement, looks, watching: { ...enforcement, explain } }
  }
  const other = { on: laptop, cause: 'other' }
  const review = { on: alice, cause: 'review' }

  it('looks at nobody from whom nothing was taken when something is given back', async () => {
    const { enforcement, looks, watching } = await counted()
    const seen: string[] = []
    const stop = createToolWatches(watching).watch(callerOf(aliceSince(-60)), () => {
      seen.push('changed')
    })
    await enforcement.take({ ...review, ...restrict })
    await enforcement.giveBack(review)
    expect(seen).toEqual(['changed', 'changed'])
    const { count } = looks
    await enforcement.giveBack(other)
    expect(looks.count).toBe(count)
    stop()
  })
  it('is one, however often something has changed', async () => {
    const { enforcement, looks, watching } = await counted()
    const stop = createToolWatches(watching).watch(callerOf(aliceSince(-60)), () => undefined)
    for (let turn = 0; turn < 3; turn += 1) {
      await enforcement.take({ ...review, ...restrict })
      await enforcement.giveBack(review)
    }
    const { count } = looks
    await enforcement.take({ ...review, effect: 'suspend' })
    // Once for each of the two lists of grants.
    expect(looks.count - count).toBeLessThanOrEqual(2)
    stop()
  })
  it('is over when it is stopped', async () => {
    const { enforcement, looks, watching } = await counted()
    const watches = createToolWatches(watching)
    const [untouched, restricted] = [aliceSince(-60), aliceSince(-30)]
    const never = (): never => {
      throw new Error('told after the end')
    }
    watches.watch(callerOf(untouched), never)()
    await enforcement.take({ ...review, ...restrict })
    watches.watch(callerOf(restricted), never)()
    const { count } = looks
    await enforcement.giveBack(review)
    await enforcement.take({ ...other, ...restrict })
    expect(looks.count).toBe(count)
  })
  it('is over when it is stopped by what it tells of', async () => {
    const { enforcement, looks, watching } = await counted()
    const stop = createToolWatches(watching).watch(callerOf(aliceSince(-60)), () => stop())
    await enforcement.take({ ...review, effect: 'suspend' })
    const { count } = looks
    await enforcement.giveBack(review)
    expect(looks.count).toBe(count)
  })
  it('is over when all are closed', async () => {
    const { enforcement, looks, watching } = await counted()
    const watches = createToolWatches(watching)
    await enforcement.take({ ...review, ...restrict })
    watches.watch(callerOf(aliceSince(-60)), () => undefined)
    watches.close()
    const { count } = looks
    await enforcement.giveBack(review)
    expect(looks.count).toBe(count)
  })
})

describe('the watch of a call', () => {
  it('is given up when the call is over', async () => {
    const { enforcement } = await startedNode()
    let until: AbortSignal | undefined
    const signal: McpEnforcement['signal'] = (who, options) => {
      until = options?.until
      return enforcement.signal(who, options)
    }
    const result = { content: [] }
    const context = { mcpReq: { signal: new AbortController().signal } } as never
    const run = async () => {
      expect(until?.aborted).toBe(false)
      return result
    }
    const call = { caller: callerOf(aliceSince(-60)), requires: [], context, run }
    expect(await guardCall({ ...enforcement, signal }, call)).toBe(result)
    expect(until?.aborted).toBe(true)
  })
})

describe('a stream until a signal', () => {
  const begun = (ended: AbortSignal) => {
    const over: string[] = []
    let source: ReadableStreamDefaultController | undefined
    const body = new ReadableStream({
      start: (controller) => {
        source = controller
        controller.enqueue(new TextEncoder().encode('first'))
      },
    })
    const response = streamUntil(new Response(body), ended, () => over.push('over'))
    return { over, response, source: source as unknown as ReadableStreamDefaultController }
  }
  it('is over once, when it ends by itself, and the signal changes nothing then', async () => {
    const controller = new AbortController()
    const { over, response, source } = begun(controller.signal)
    source.close()
    expect(await response.text()).toBe('first')
    expect(over).toEqual(['over'])
    controller.abort()
    expect(over).toEqual(['over'])
  })
  it('is over at once when the signal aborts, although nobody reads', () => {
    const controller = new AbortController()
    const { over } = begun(controller.signal)
    controller.abort()
    expect(over).toEqual(['over'])
  })
  it('ends at once where the signal has aborted before', async () => {
    const { over, response } = begun(AbortSignal.abort())
    expect(await response.text()).toBe('')
    expect(over).toEqual(['over'])
  })
})
