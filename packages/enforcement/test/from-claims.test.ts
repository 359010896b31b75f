import { describe, expect, it } from '@jest/globals'
import { issSub, jwtId, opaque, type ComplexSubjectInput } from '@drawbridge/schema'
import {
  createEnforcement,
  fromClaims,
  memoryLedger,
  recommendedPolicy,
  type TokenClaims,
  type Who,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import { delegatorsOf } from '../src/delegation.ts'
import { readSession } from '../src/session.ts'
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
    const who = fromClaims({ ...claims, act: { sub: 'agent-1' } })
    expect(who.kind).toBe('agent')
    expect(who.subject).toMatchObject({ user: issSub(idp, 'agent-1') })
    expect(who.delegator?.subject).toMatchObject({ user: alice })
    expect(who.began).toEqual(who.delegator?.began)
    const other = 'https://other.example'
    const foreign = fromClaims({ ...claims, act: { sub: 'a', iss: other } })
    expect(foreign).toMatchObject({ issuer: other, subject: { user: issSub(other, 'a') } })
    expect(foreign.delegator).toMatchObject({ issuer: idp })
  })
  it('RFC 8693, "Actor Claim": whoever acted before is a delegator, the latest first', () => {
    const act = { sub: 'c', act: { sub: 'b', act: { sub: 'a' } } }
    const chain: unknown[] = []
    for (let who: Who | undefined = fromClaims({ ...claims, act }); who; who = who.delegator) {
      chain.push((who.subject as ComplexSubjectInput).user)
    }
    expect(chain).toEqual(['c', 'b', 'a', 'alice'].map((sub) => issSub(idp, sub)))
  })
  it('names an actor by its client where it has no "sub", and nobody where it has neither', () => {
    const byClient = fromClaims({ ...claims, act: { client_id: 'agent-client' } })
    expect(byClient.subject).toMatchObject({ application: opaque('agent-client') })
    expect(byClient.delegator?.subject).toMatchObject({ user: alice })
    for (const act of [{}, { sub: 7 }, ['agent-1'], 'agent-1', true]) {
      const who = fromClaims({ ...claims, act })
      expect(who).toMatchObject({ kind: 'agent', subject: { user: alice } })
      expect(who.delegator).toBeUndefined()
    }
  })
  it('names one that comes twice in "act" once, and "sub" not as its own delegate', () => {
    const act = { sub: 'b', act: { sub: 'alice', act: { sub: 'b', act: { sub: 'a' } } } }
    const who = fromClaims({ ...claims, act })
    expect(delegatorsOf(who).map(({ subject }) => subject)).toMatchObject([
      { user: issSub(idp, 'a') },
      { user: alice },
    ])
    expect(() => readSession(who, 0)).not.toThrow()
  })
  it('attack: refuses a chain of actors that never ends', () => {
    let act: Record<string, unknown> = { sub: 'first' }
    for (let depth = 0; depth < 14; depth++) act = { sub: `agent-${depth}`, act }
    expect(delegatorsOf(fromClaims({ ...claims, act }))).toHaveLength(15)
    const longer = { sub: 'last', act }
    expect(() => fromClaims({ ...claims, act: longer })).toThrow(
      '"claims.act" must not name more than 15 actors',
    )
  })
  it.each([
    [undefined, undefined],
    ['', []],
    [' ', []],
    ['read', ['read']],
    [
      ['read', 'write', '', 7],
      ['read', 'write'],
    ],
    [null, []],
    [{}, []],
  ])('reads the scope %j as the grants %j', (scope, grants) => {
    expect(fromClaims({ ...claims, scope }).grants).toEqual(grants)
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
