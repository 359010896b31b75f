import { inspect } from 'node:util'
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import {
  backoffMs,
  checkOptions,
  createEmitter,
  emptyResponse,
  jsonResponse,
  mediaType,
  OptionsError,
  readBody,
  retryAfterMs,
  sameSecret,
  Secret,
  sha256,
  systemClock,
} from '@drawbridge/core'

describe('backoffMs', () => {
  const backoff = { firstMs: 100, longestMs: 60_000 }

  it('doubles, half of it fixed and half random', () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(backoff, failures, 0))).toEqual([
      50, 100, 200, 400,
    ])
    expect(backoffMs(backoff, 1, 0.999_999)).toBe(100)
  })

  it('stays between half of the first and the longest wait, however often it failed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, random) => {
          const ms = backoffMs(backoff, failures, random)
          expect(ms).toBeGreaterThanOrEqual(50)
          expect(ms).toBeLessThanOrEqual(60_000)
        },
      ),
    )
  })
})

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')

  it('reads seconds and HTTP dates, up to an hour', () => {
    expect(retryAfterMs('0', now)).toBe(0)
    expect(retryAfterMs(' 120 ', now)).toBe(120_000)
    expect(retryAfterMs('86400', now)).toBe(3_600_000)
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:07 GMT', now)).toBe(7000)
    expect(retryAfterMs('Thu, 01 Jan 2026 23:00:00 GMT', now)).toBe(3_600_000)
    expect(retryAfterMs('Wed, 31 Dec 2025 23:59:59 GMT', now)).toBe(0)
  })

  it('is undefined where there is nothing to read, and never a date by accident', () => {
    for (const value of [undefined, null, '', 'soon', '-5', '1.5', '2026-01-01', '1e3']) {
      expect(retryAfterMs(value, now)).toBeUndefined()
    }
  })

  it('is a bounded number or nothing, for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = retryAfterMs(text, now) ?? 0
        expect(ms >= 0 && ms <= 3_600_000).toBe(true)
      }),
    )
  })
})

describe('systemClock', () => {
  it('wakes a sleeper at once when the signal aborts', async () => {
    const controller = new AbortController()
    const slept = systemClock.sleep(3_600_000, controller.signal)
    controller.abort()
    await slept
    await systemClock.sleep(3_600_000, controller.signal)
  })

  it('sleeps, and does not take a long time for none', async () => {
    const before = systemClock.now()
    await systemClock.sleep(5)
    expect(systemClock.now() - before).toBeGreaterThanOrEqual(4)
    const controller = new AbortController()
    let awake = false
    const slept = systemClock.sleep(2 ** 40, controller.signal).then(() => (awake = true))
    await systemClock.sleep(5)
    expect(awake).toBe(false)
    controller.abort()
    await slept
  })
})

describe('sameSecret', () => {
  it('is equality', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (one, other) => {
        expect(await sameSecret(one, other)).toBe(one === other)
        expect(await sameSecret(one, one)).toBe(true)
      }),
    )
  })

  it('hashes with SHA-256', async () => {
    expect(Buffer.from(await sha256('abc')).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
})

describe('Secret', () => {
  it('shows itself to nobody but the one who asks', () => {
    const secret = new Secret('hunter2')
    expect(secret.reveal()).toBe('hunter2')
    const holder = { secret, list: [secret] }
    for (const text of [
      String(secret),
      `${secret}`,
      JSON.stringify(holder),
      inspect(holder, { showHidden: true, depth: 9 }),
      Object.values(secret).join(),
    ]) {
      expect(text).not.toContain('hunter2')
    }
    expect(JSON.stringify(holder)).toContain('[secret]')
    expect(inspect(holder)).toContain('[secret]')
  })
})

describe('checkOptions', () => {
  it('reports all mistakes together, each by the name the caller wrote', () => {
    const { check, known, url, done } = checkOptions('createThing')
    known({ issuer: 'x', isuer: 'x' }, ['issuer'])
    check(false, '"secret" must be a string')
    check(true, 'not said')
    url('issuer', 'x', false)
    url('push.url', 'http://a.example', false)
    url('other', 'https://a.example/?x#y', false)
    url('file', 'file:///etc', true)
    url('absent', undefined, true)
    let error: unknown
    try {
      done()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(OptionsError)
    expect(error).toMatchObject({
      name: 'OptionsError',
      code: 'ERR_INVALID_ARG_VALUE',
      mistakes: [
        '"isuer" is not an option',
        '"secret" must be a string',
        '"issuer" must be an https URL',
        '"push.url" must be an https URL (for a test, write "allowInsecureHttp: true")',
        '"other" must have no query and no fragment',
        '"file" must be an https URL',
        '"absent" must be an https URL',
      ],
    })
    expect((error as OptionsError).message).toMatch(
      /^createThing: "isuer" is not an option; "secret"/,
    )
  })

  it('says nothing where there is nothing to say', () => {
    const { known, url, done } = checkOptions('createThing')
    known({ issuer: 'x' }, ['issuer', 'secret'])
    url('issuer', 'https://a.example/path', false)
    url('local', 'http://127.0.0.1:8080', true)
    expect(done).not.toThrow()
  })
})

describe('createEmitter', () => {
  interface Events {
    'set:delivered': { readonly jti: string }
    'set:rejected': { readonly jti: string }
  }

  /** Runs with `console.error` kept: what a listener throws is printed there. */
  async function printed(run: () => unknown): Promise<unknown[][]> {
    const spy = jest.spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      await run()
      return spy.mock.calls
    } finally {
      spy.mockRestore()
    }
  }

  it('calls listeners of the name, each time, once, or no more', () => {
    const { watchable, emit } = createEmitter<Events>()
    const seen: string[] = []
    const always = ({ jti }: { readonly jti: string }): void => void seen.push(`always ${jti}`)
    watchable.on('set:delivered', always)
    watchable.once('set:delivered', ({ jti }) => void seen.push(`once ${jti}`))
    emit('set:delivered', { jti: '1' })
    emit('set:delivered', { jti: '2' })
    emit('set:rejected', { jti: '3' })
    watchable.off('set:delivered', always)
    emit('set:delivered', { jti: '4' })
    expect(seen).toEqual(['always 1', 'once 1', 'always 2'])
  })

  it('lets no listener throw into the code that emits, nor keep the others from hearing', async () => {
    const { watchable, emit } = createEmitter<Events>()
    const seen: string[] = []
    const failure = new Error('mine')
    watchable.on('set:delivered', () => {
      throw failure
    })
    watchable.on('set:delivered', ({ jti }) => void seen.push(jti))
    const calls = await printed(() => emit('set:delivered', { jti: '1' }))
    expect(seen).toEqual(['1'])
    expect(calls).toEqual([['drawbridge: a listener of "set:delivered" threw', failure]])
  })

  it('survives an async listener that rejects', async () => {
    const { watchable, emit } = createEmitter<Events>()
    const failure = new Error('mine')
    const listener: (event: object) => unknown = () => Promise.reject(failure)
    watchable.on('set:delivered', listener)
    const calls = await printed(async () => {
      emit('set:delivered', { jti: '1' })
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    })
    expect(calls).toEqual([['drawbridge: a listener of "set:delivered" threw', failure]])
  })

  it('gives no way to emit to those who watch', () => {
    const { watchable } = createEmitter<Events>()
    expect(Object.keys(watchable).toSorted()).toEqual(['off', 'on', 'once'])
  })
})

describe('readBody', () => {
  const bodyOf = (...chunks: readonly (string | Uint8Array)[]) => {
    const state = { cancelled: false, pulled: 0 }
    const rest = chunks.map((chunk) =>
      typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk,
    )
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          const chunk = rest.shift()
          state.pulled++
          if (chunk) controller.enqueue(chunk)
          else controller.close()
        },
        cancel: () => {
          state.cancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    return { body, state }
  }

  it('reads what is not there', async () => {
    expect(await readBody({ body: null }, 10)).toEqual({ text: '' })
    expect(await readBody(bodyOf(), 10)).toEqual({ text: '' })
  })

  it('reads any text, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 5 }),
        async (text, size) => {
          const bytes = new TextEncoder().encode(text)
          const chunks: Uint8Array[] = []
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size))
          const expected = new TextDecoder().decode(bytes)
          expect(await readBody(bodyOf(...chunks), bytes.length)).toEqual({ text: expected })
          if (bytes.length > 0) {
            expect(await readBody(bodyOf(...chunks), bytes.length - 1)).toEqual({
              refused: 'too-large',
            })
          }
        },
      ),
    )
  })

  it('does not wait for what is beyond the limit', async () => {
    const { body, state } = bodyOf('12345', '67890', 'never read')
    expect(await readBody({ body }, 9)).toEqual({ refused: 'too-large' })
    expect(state).toEqual({ cancelled: true, pulled: 2 })
  })

  it('refuses what is not UTF-8', async () => {
    expect(await readBody(bodyOf(new Uint8Array([0x7b, 0xff])), 10)).toEqual({
      refused: 'not-utf8',
    })
    expect(await readBody(bodyOf('a', new Uint8Array([0xc3])), 10)).toEqual({ refused: 'not-utf8' })
  })

  it('reads requests and responses', async () => {
    const request = new Request('http://a.example', { method: 'POST', body: '{}' })
    expect(await readBody(request, 2)).toEqual({ text: '{}' })
    expect(await readBody(new Response('{}'), 1)).toEqual({ refused: 'too-large' })
  })
})

describe('mediaType', () => {
  it.each([
    [undefined, ''],
    ['application/json', 'application/json'],
    ['Application/SecEvent+JWT; charset=utf-8', 'application/secevent+jwt'],
    [' application/json ;q=1', 'application/json'],
    [';', ''],
  ])('of %j is %j', (value, expected) => {
    const headers = new Headers(value === undefined ? {} : { 'content-type': value })
    expect(mediaType(headers)).toBe(expected)
  })
})

describe('jsonResponse and emptyResponse', () => {
  it('are kept by no cache', async () => {
    const json = jsonResponse(400, { err: 'x' }, { 'retry-after': '1' })
    expect(json.status).toBe(400)
    expect(await json.json()).toEqual({ err: 'x' })
    expect(Object.fromEntries(json.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'retry-after': '1',
    })
    const empty = emptyResponse(202)
    expect([empty.status, empty.body, empty.headers.get('cache-control')]).toEqual([
      202,
      null,
      'no-store',
    ])
  })
})
