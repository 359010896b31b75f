import { describe, expect, it } from '@jest/globals'
import { issSub, opaque, type SecurityEvent } from '@drawbridge/schema'
import { logoutEvent, scimEvent, tokenRevocationEvent, type Who } from '@drawbridge/enforcement'
import { alice, aliceSince, idp, noon, startedNode, type TestNode } from './signals.ts'

const robot = issSub(idp, 'robot')

/** A task that Alice has consented to at a second, and that goes on when she has signed out. */
const taskSince = (seconds: number, endsWith: Who['endsWith'] = 'grant'): Who => ({
  subject: { user: robot, task: opaque('task-1') },
  began: new Date((noon + seconds) * 1000),
  kind: 'agent',
  delegator: aliceSince(seconds),
  ...(endsWith && { endsWith }),
})

const isAllowed = ({ enforcement }: TestNode, ...whos: Who[]): boolean[] =>
  whos.map((who) => enforcement.check(who).outcome === 'allow')

/** Alice's session, a task that rests on it, and one that rests on her consent. */
const three = [aliceSince(-60), taskSince(-60, 'session'), taskSince(-60)] as const

const logout = (more: object): SecurityEvent =>
  logoutEvent(
    {
      iss: idp,
      aud: 'app',
      iat: noon + 60,
      jti: 'logout-1',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...more,
    },
    { issuer: idp, audience: 'app' },
  )

describe('a task that rests on a consent', () => {
  it.each([
    ['with a sid', { sub: 'alice', sid: 's-1' }],
    ['with a sid alone', { sid: 's-1' }],
    ['without a sid', { sub: 'alice' }],
  ])('outlives a logout token %s', async (_, claims) => {
    const node = await startedNode()
    expect(isAllowed(node, ...three)).toEqual([true, true, true])
    await node.enforcement.apply(logout(claims))
    expect(isAllowed(node, ...three)).toEqual([false, false, true])
  })
  it('ends when all tokens are revoked, and a new consent does not', async () => {
    const node = await startedNode()
    const { enforcement, clock } = node
    await enforcement.apply(tokenRevocationEvent({ sub_id: alice }, { issuer: idp, clock }))
    expect(isAllowed(node, ...three)).toEqual([false, false, false])
    expect(isAllowed(node, aliceSince(61), taskSince(61))).toEqual([true, true])
    expect(enforcement.explain(taskSince(-60))).toMatchObject({
      effect: 'terminate',
      taken: [{ cause: { name: 'tokens-revoked' }, restoredBy: 'new-session' }],
    })
  })
  it('stands still while its user is deactivated, and goes on afterwards', async () => {
    const node = await startedNode()
    const { enforcement, clock } = node
    const put = async (active: boolean): Promise<void> => {
      const request = { method: 'PUT', resourceType: 'User', body: { active } }
      const event = scimEvent(request, { issuer: idp, subject: alice, clock })
      if (event) await enforcement.apply(event)
      await clock.advance(1)
    }
    await put(false)
    expect(isAllowed(node, ...three)).toEqual([false, false, false])
    await put(true)
    expect(isAllowed(node, ...three)).toEqual([true, true, true])
  })
  it('is of no other identity provider’s concern', async () => {
    const node = await startedNode()
    const { enforcement, clock } = node
    const from = { issuer: 'https://other.example', clock }
    await enforcement.apply(tokenRevocationEvent({ sub_id: alice }, from))
    await enforcement.apply(tokenRevocationEvent({ sub_id: robot }, from))
    const request = { method: 'DELETE', resourceType: 'User' }
    const event = scimEvent(request, { ...from, subject: alice })
    if (event) await enforcement.apply(event)
    expect(isAllowed(node, ...three)).toEqual([true, true, true])
  })
})

describe('a revocation by an opaque id', () => {
  it('means the user of that id, and no session or application', async () => {
    const node = await startedNode()
    const { enforcement, clock } = node
    const sub_id = opaque('u-1')
    await enforcement.apply(tokenRevocationEvent({ sub_id }, { issuer: idp, clock }))
    const began = new Date(noon * 1000)
    const known = { issuer: idp, began, subject: { user: sub_id } }
    const same = { began, subject: { user: alice, session: sub_id, application: sub_id } }
    expect(isAllowed(node, known, same)).toEqual([false, true])
  })
})
