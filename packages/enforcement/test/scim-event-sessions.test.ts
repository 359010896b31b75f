import { describe, expect, it } from '@jest/globals'
import { aliases, issSub, opaque, scim, type SubjectInput } from '@drawbridge/schema'
import { scimEvent, type Who } from '@drawbridge/enforcement'
import { alice, aliceSince, idp, noon, startedNode, type TestNode } from './signals.ts'

const other = 'https://other.example'

/** How an identity provider says that somebody may not log in, or may again, or is gone. */
const requests = {
  deactivate: {
    method: 'PATCH',
    body: { Operations: [{ op: 'replace', value: { active: false } }] },
  },
  activate: { method: 'PATCH', body: { Operations: [{ op: 'replace', value: { active: true } }] } },
  create: { method: 'POST', body: { schemas: [], userName: 'alice', active: true } },
  delete: { method: 'DELETE' },
} as const

interface Site extends TestNode {
  /** Carries a request out, as an application does. */
  readonly apply: (
    name: keyof typeof requests,
    subject?: SubjectInput,
    issuer?: string,
  ) => Promise<void>
  /** What becomes of a session. */
  readonly outcome: (who?: Who) => string | undefined
}

async function site(): Promise<Site> {
  const node = await startedNode()
  const { enforcement, clock } = node
  return {
    ...node,
    apply: async (name, subject = alice, issuer = idp) => {
      const request = { ...requests[name], resourceType: 'User' }
      const event = scimEvent(request, { issuer, subject, clock })
      if (event) await enforcement.apply(event)
    },
    outcome: (who = aliceSince(-60)) => {
      const decision = enforcement.check(who)
      return decision.outcome === 'allow' ? 'allow' : decision.effect
    },
  }
}

describe('a user whom an identity provider deactivates by SCIM', () => {
  it('has no session until the user is activated, whenever it began', async () => {
    const { apply, outcome, clock } = await site()
    await apply('deactivate')
    expect([outcome(), outcome(aliceSince(60))]).toEqual(['suspend', 'suspend'])
    await clock.advance(1)
    await apply('activate')
    expect([outcome(), outcome(aliceSince(60))]).toEqual(['allow', 'allow'])
  })
  it('stays activated when a deactivation from before comes late, or once more', async () => {
    const { enforcement, apply, outcome, clock } = await site()
    const request = { ...requests.deactivate, resourceType: 'User' }
    const queued = scimEvent(request, { issuer: idp, subject: alice, clock })
    if (queued) await enforcement.apply(queued)
    expect(outcome()).toBe('suspend')
    await clock.advance(1)
    await apply('activate')
    if (queued) await enforcement.apply(queued)
    expect(outcome()).toBe('allow')
  })
  it('is given back by the same identity provider under the same name alone', async () => {
    const { apply, outcome, clock } = await site()
    await apply('deactivate')
    await clock.advance(1)
    await apply('activate', alice, other)
    await apply('activate', { user: alice, device: opaque('laptop-7') })
    await apply('activate', scim('/Users/1'))
    expect(outcome()).toBe('suspend')
    await apply('activate')
    expect(outcome()).toBe('allow')
  })
  it('is somebody whom that identity provider logged in', async () => {
    const { apply, outcome } = await site()
    await apply('deactivate', alice, other)
    await apply('delete', alice, other)
    expect(outcome()).toBe('allow')
    const guest = { subject: issSub(other, 'alice'), began: new Date(noon * 1000) }
    await apply('deactivate', issSub(other, 'alice'))
    expect(outcome(guest)).toBe('allow')
    await apply('deactivate', issSub(other, 'alice'), other)
    expect(outcome(guest)).toBe('suspend')
  })
})

describe('a user whom an identity provider deletes by SCIM', () => {
  it('has no session any more, whoever is created or activated under the name', async () => {
    const { apply, outcome, clock } = await site()
    await apply('deactivate')
    await clock.advance(1)
    await apply('delete')
    await clock.advance(1)
    await apply('create')
    await apply('activate')
    expect([outcome(), outcome(aliceSince(600))]).toEqual(['terminate', 'terminate'])
  })
  it('can be created again as another resource, where sessions are known by it', async () => {
    const { apply, outcome } = await site()
    const known = (id: string) =>
      aliceSince(-60, { issuer: idp, subject: { user: aliases(alice, scim(`/Users/${id}`)) } })
    await apply('delete', scim('/Users/1'))
    await apply('create', scim('/Users/2'))
    expect([outcome(known('1')), outcome(known('2'))]).toEqual(['terminate', 'allow'])
  })
})
