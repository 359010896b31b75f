import { describe, expect, it } from '@jest/globals'
import { Secret } from '@drawbridge/core'
import {
  createTransmitter,
  memoryStore,
  permitAll,
  staticTokens,
  type TransmitterOptions,
} from '../src/index.ts'
import { makeTransmitter, secret } from './support.ts'

function mistakesOf(options: object): readonly string[] {
  try {
    createTransmitter(options as TransmitterOptions)
    return []
  } catch (error) {
    expect(error).toMatchObject({ name: 'OptionsError', code: 'ERR_INVALID_ARG_VALUE' })
    return (error as { mistakes: readonly string[] }).mistakes
  }
}

describe('createTransmitter: options', () => {
  it('reports all mistakes at once, each by the name of the option', () => {
    const mistakes = mistakesOf({
      issuer: 'http://idp.example?x=1',
      secret: 'short',
      algorithm: 'HS256',
      eventsSupported: [{}],
      push: { maxInFlight: 0, backoff: { firstMs: -1, longestMs: 1.5 } },
      poll: { longPollMs: '1' },
      minVerificationIntervalSeconds: NaN,
      permitEvnet: permitAll,
    })
    for (const name of [
      'issuer',
      'secret',
      'store',
      'authenticate',
      'permitEvent',
      'algorithm',
      'eventsSupported',
      'push.maxInFlight',
      'push.backoff.firstMs',
      'push.backoff.longestMs',
      'poll.longPollMs',
      'minVerificationIntervalSeconds',
      'permitEvnet',
    ]) {
      expect(mistakes).toContainEqual(expect.stringContaining(`"${name}"`))
    }
    expect(mistakes.join()).not.toContain('short')
  })

  it('SSF-7.1-3, CIOP-2.1-1: wants an https issuer, unless http is allowed by name', () => {
    const options = {
      issuer: 'http://127.0.0.1:1',
      secret,
      store: memoryStore(),
      authenticate: staticTokens([]),
      permitEvent: permitAll,
    }
    expect(mistakesOf(options)).toHaveLength(1)
    expect(mistakesOf({ ...options, allowInsecureHttp: true })).toEqual([])
  })

  it('takes the secret as a Secret too, and wants 32 characters of it', () => {
    expect(() => makeTransmitter({ secret: new Secret('x'.repeat(32)) })).not.toThrow()
    expect(() => makeTransmitter({ secret: new Secret('x'.repeat(31)) })).toThrow('"secret"')
  })
})
