import { describe, expect, it } from '@jest/globals'
import { issSub, jwtId, opaque } from '@drawbridge/schema'
import {
  createEnforcement,
  fromClaims,
  memoryLedger,
  recommendedPolicy,
  type TokenClaims,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { alice, idp, noon, revoked } from './signals.ts'

const claims: TokenClaims = {
  iss: idp,
  sub: 'alice',
  sid: 's-1',
  jti: 't-1',
  client_id: 'app',
  iat: noon + 100,
  auth_time: noon - 100,
  acr: 'mfa',
  scope: 'files:read  files:write',
}

describe('fromClaims', () => {
  it('reads who it is, what it was granted and when it began', () => {
    expect(fromClaims(claims)).toEqual({
      subject: {
        user: alice,
        session: opaque('s-1'),
        application: opaque('app'),
        token: jwtId(idp, 't-1'),
      },
      issuer: idp,
      began: new Date((noon - 100) * 1000),
      kind: 'human',
      acr: 'mfa',
      grants: ['files:read', 'files:write'],
    })
  })
  it('takes what the claims do not say from the application', () => {
    const device = opaque('laptop-7')
    const who = fromClaims(claims, { subject: { device }, kind: 'agent' })
    expect(who.kind).toBe('agent')
    expect(who.subject).toMatchObject({ user: alice, device })
  })
  it('names an agent that acts for somebody, and whose issuer it is', () => {
    const who = fromClaims({ ...claims, act: { sub: 'agent-1', act: { sub: 'agent-0' } } })
    expect(who.kind).toBe('agent')
    expect(who.subject).toMatchObject({ user: alice, actor: issSub(idp, 'agent-1') })
    const foreign = fromClaims({ ...claims, act: { sub: 'a', iss: 'https://other.example' } })
    expect(foreign.subject).toMatchObject({ actor: issSub('https://other.example', 'a') })
  })
  it('takes the token of a client for itself as an authentication of its own', () => {
    const who = fromClaims({ iss: idp, sub: 'svc', client_id: 'svc', iat: noon })
    expect(who).toMatchObject({ kind: 'service', began: new Date(noon * 1000) })
  })
  it('attack: a refreshed token does not escape a cut, whatever its iat', async () => {
    const clock = manualClock((noon + 300) * 1000)
    const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock }
    const enforcement = createEnforcement(parts)
    await enforcement.start()
    await enforcement.apply(revoked({ user: alice }))
    const refreshed: TokenClaims = { ...claims, iat: noon + 200, jti: 't-2' }
    expect(enforcement.check(fromClaims(refreshed)).outcome).toBe('refuse')
    const silent: TokenClaims = { ...refreshed, auth_time: undefined }
    expect(() => fromClaims(silent)).toThrow('"claims.auth_time" must be a NumericDate')
    const began = new Date((noon - 100) * 1000)
    expect(enforcement.check(fromClaims(silent, { began })).outcome).toBe('refuse')
    expect(enforcement.check(fromClaims(silent, { began: 'iat' })).outcome).toBe('allow')
    const anew = { ...refreshed, auth_time: noon + 150 }
    expect(enforcement.check(fromClaims(anew)).outcome).toBe('allow')
  })
  it.each([Number.NaN, 0, -1, '1795000000', null])('takes no %s for auth_time', (auth_time) => {
    expect(() => fromClaims({ ...claims, auth_time })).toThrow('"claims.auth_time"')
  })
  it('names all claims that are missing', () => {
    expect(() => fromClaims({ auth_time: noon, sub: '' })).toThrow(
      /"claims.iss" must be a text; "claims.sub" must be a text/,
    )
  })
})
