import { describe, expect, it } from '@jest/globals'
import { opaque } from '@drawbridge/schema'
import {
  createEnforcement,
  logoutEvent,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { alice, aliceSince, idp, noon } from './signals.ts'

const options = { issuer: idp, audience: 'app' }
const token = {
  iss: idp,
  aud: 'app',
  iat: noon,
  jti: 'logout-1',
  sub: 'alice',
  sid: 's-1',
  events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
}
const { sid: _, ...ofUser } = token

const after = async (claims: object): Promise<Enforcement> => {
  const clock = manualClock((noon + 60) * 1000)
  const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock }
  const enforcement = createEnforcement(parts)
  await enforcement.start()
  await enforcement.apply(logoutEvent(claims as typeof token, options))
  return enforcement
}

const codeOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('a logout token', () => {
  it('ends the session of its sid, and no other', async () => {
    const enforcement = await after(token)
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    const other = aliceSince(-60, { subject: { user: alice, session: opaque('s-2') } })
    expect(enforcement.check(other).outcome).toBe('allow')
  })
  it('without a sid ends what the user began before it', async () => {
    const enforcement = await after({ ...ofUser, aud: ['other', 'app'] })
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    expect(enforcement.check(aliceSince(60)).outcome).toBe('allow')
  })
  it.each([
    ['iss', { iss: 'https://other.example' }, 'ERR_SET_ISSUER'],
    ['aud', { aud: 'other' }, 'ERR_SET_AUDIENCE'],
    ['aud', { aud: ['other'] }, 'ERR_SET_AUDIENCE'],
    ['events', { events: { 'https://other.example': {} } }, 'ERR_SET_CLAIM'],
    ['events', { events: null }, 'ERR_SET_CLAIM'],
    ['nonce', { nonce: 'n' }, 'ERR_SET_CLAIM'],
    ['sub', { sub: undefined, sid: '' }, 'ERR_SET_CLAIM'],
    ['jti', { jti: undefined }, 'ERR_SET_CLAIM'],
    ['iat', { iat: 'now' }, 'ERR_SET_CLAIM'],
  ])('is refused for its "%s"', (name, change, code) => {
    const work = () => logoutEvent({ ...token, ...change }, options)
    expect(work).toThrow(`"${name}"`)
    expect(codeOf(work)).toBe(code)
  })
})
