import { describe, expect, it } from '@jest/globals'
import { guardFetch } from '@drawbridge/enforcement'
import { guard as guardExpress } from '@drawbridge/enforcement/express'
import { guard as guardFastify } from '@drawbridge/enforcement/fastify'
import { guard as guardHono } from '@drawbridge/enforcement/hono'

type Guard = (enforcement: unknown, identify: unknown, options?: unknown) => unknown

const handler = () => new Response()
const guards: Readonly<Record<string, Guard>> = {
  Fetch: (enforcement, identify, options) =>
    guardFetch(enforcement as never, identify as never, handler, options as never),
  Express: guardExpress as Guard,
  Fastify: guardFastify as Guard,
  Hono: guardHono as Guard,
}
const enforcement = { check: () => ({ outcome: 'allow', causes: [] }) }
const identify = () => undefined

describe.each(Object.entries(guards))('the options of the guard in %s', (_, guard) => {
  it.each<[unknown]>([
    [undefined],
    [{}],
    [{ requires: [] }],
    [{ requires: ['files:read'] }],
    [{ requires: () => ['files:read'] }],
  ])('are right: %p', (options) => {
    expect(typeof guard(enforcement, identify, options)).toBe('function')
  })
  it.each<[unknown]>([[null], ['files:read'], [['files read']], [[1]]])(
    'have no "requires" that is %p',
    (requires) => {
      expect(() => guard(enforcement, identify, { requires })).toThrow(
        'guard: "requires" must be an array of grants',
      )
    },
  )
  it('are checked once, with all mistakes together', () => {
    expect(() => guard({}, {}, { require: [] })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        mistakes: [
          '"enforcement" must be what createEnforcement(options) returns',
          '"identify" must be a function of the request',
          '"require" is not an option',
        ],
      }),
    )
  })
})
