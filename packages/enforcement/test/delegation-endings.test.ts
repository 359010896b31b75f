import { describe, expect, it } from '@jest/globals'
import {
  accessMeanings,
  opaque,
  scim,
  type EventType,
  type SecurityEvent,
  type SubjectInput,
} from '@drawbridge/schema'
import {
  caepEventTypes,
  CredentialChange,
  RiskLevelChange,
  SessionRevoked,
} from '@drawbridge/schema/caep'
import { oauthEventTypes, TokensRevoked } from '@drawbridge/schema/oauth'
import { CredentialCompromise, riscEventTypes } from '@drawbridge/schema/risc'
import { scimEventTypes } from '@drawbridge/schema/scim'
import { ssfEventTypes } from '@drawbridge/schema/ssf'
import type { Mandates, Who } from '@drawbridge/enforcement'
import { acme, agentOf, effectsOf, gateway, human, named } from './delegation-chain.ts'
import { alice, idp, laptop, noon, signal, startedNode, type TestNode } from './signals.ts'

const types = new Map<string, EventType>(
  [
    ...caepEventTypes,
    ...oauthEventTypes,
    ...riscEventTypes,
    ...scimEventTypes,
    ...ssfEventTypes,
  ].map((type) => [type.uri, type]),
)

const typeOf = (name: string): EventType => {
  const found = [...types.values()].find(({ uri }) => uri.endsWith(name))
  if (!found) throw new Error(`no type ${name}`)
  return found
}

/** What is said of Alice: the event type, and the members that decide. */
const said = (name: string, payload: object = {}, subject: SubjectInput = { user: alice }) => {
  return (at = noon): SecurityEvent => signal(typeOf(name), subject, { at, payload })
}

const none = 'none'

/** What happens to what acts for Alice's session, and to what acts by a grant of hers. */
type Row = readonly [name: string, payload: object, session: string, grant: string]

const rows: readonly Row[] = [
  ['/session-revoked', {}, 'terminate', none],
  ['/token-claims-change', { claims: { role: 'guest' } }, 'reauthenticate', 'reauthenticate'],
  ['/credential-change', { change_type: 'update' }, 'reauthenticate', none],
  ['/credential-change', { change_type: 'create' }, none, none],
  [
    '/assurance-level-change',
    { namespace: 'NIST-AAL', change_direction: 'decrease' },
    'reauthenticate',
    'reauthenticate',
  ],
  ['/device-compliance-change', { current_status: 'not-compliant' }, 'suspend', 'suspend'],
  ['/session-established', {}, none, none],
  ['/session-presented', {}, none, none],
  [
    '/risk-level-change',
    { principal: 'USER', current_level: 'HIGH' },
    'reauthenticate',
    'reauthenticate',
  ],
  ['/account-credential-change-required', {}, 'reauthenticate', 'reauthenticate'],
  ['/account-purged', {}, 'terminate', 'terminate'],
  ['/account-disabled', {}, 'suspend', 'suspend'],
  ['/account-enabled', {}, none, none],
  ['/identifier-changed', {}, none, none],
  ['/identifier-recycled', {}, none, none],
  ['/credential-compromise', { credential_type: 'password' }, 'terminate', 'terminate'],
  ['/opt-in', {}, none, none],
  ['/opt-out-initiated', {}, none, none],
  ['/opt-out-cancelled', {}, none, none],
  ['/opt-out-effective', {}, none, none],
  ['/recovery-activated', {}, 'reauthenticate', none],
  ['/recovery-information-changed', {}, none, none],
  ['/sessions-revoked', {}, 'terminate', none],
  ['feed:add', {}, none, none],
  ['feed:remove', {}, none, none],
  ['prov:create:notice', {}, none, none],
  ['prov:create:full', {}, none, none],
  ['prov:patch:notice', {}, none, none],
  ['prov:patch:full', {}, none, none],
  ['prov:put:notice', {}, none, none],
  ['prov:put:full', {}, none, none],
  ['prov:delete', {}, 'terminate', 'terminate'],
  ['prov:activate', {}, none, none],
  ['prov:deactivate', {}, 'suspend', 'suspend'],
  ['misc:asyncresp', {}, none, none],
  ['/tokens-revoked', {}, 'terminate', 'terminate'],
  ['/stream-updated', {}, none, none],
  ['/verification', {}, none, none],
]

const bySession = agentOf()
const byGrant = agentOf(human(), { endsWith: 'grant' })

async function after(
  events: readonly SecurityEvent[],
  all: readonly Who[] = [bySession, byGrant],
  mandates?: Mandates,
): Promise<readonly string[]> {
  const node: TestNode = await startedNode(mandates && { mandates })
  for (const event of events) await node.enforcement.apply(event)
  const effects = effectsOf(node.enforcement, ...all)
  await node.enforcement.stop()
  return effects
}

describe('what an event about Alice does to what acts for her', () => {
  it('is told here of each event type', () => {
    const told = rows.map(([name]) => typeOf(name).uri)
    expect(new Set(told)).toEqual(new Set(accessMeanings.keys()))
  })
  it.each(rows)('%s %j: %s by her session, %s by her grant', async (name, payload, ...expected) => {
    expect(await after([said(name, payload)()])).toEqual(expected)
  })
  it.each(rows.filter(([, , session]) => session !== none))(
    '%s %j reaches her own session as it does what rests on it',
    async (name, payload, expected) => {
      expect(await after([said(name, payload)()], [human()])).toEqual([expected])
    },
  )
})

describe('a cut', () => {
  const revoke = (subject: SubjectInput): SecurityEvent => signal(SessionRevoked, subject)
  const mandates: Mandates = { [idp]: { tenants: [acme] } }
  const inAcme = named(human(), { tenant: acme })
  const withIds = named(human(), { token: opaque('hers') })
  const subjects: readonly (readonly [string, SubjectInput, Who?])[] = [
    ['her, simply', alice],
    ['her', { user: alice }],
    ['her session', { session: opaque('s-1') }],
    ['her session by its id alone', opaque('s-1')],
    ['her and her session', { user: alice, session: opaque('s-1') }],
    ['her device', { device: laptop }],
    ['her and her device', { user: alice, device: laptop }],
    ['her token', { token: opaque('hers') }, withIds],
    ['her tenant', { tenant: acme }, inAcme],
    ['her in her tenant', { user: alice, tenant: acme }, inAcme],
    ['her in what acts for her', { user: alice, application: gateway }],
  ]
  it.each(subjects)(
    'that names %s ends what rests on her session, and no grant',
    async (...[, on, person = human()]) => {
      const all = [agentOf(person), agentOf(person, { endsWith: 'grant' })]
      const may = person === inAcme ? mandates : undefined
      expect(await after([revoke(on)], all, may)).toEqual(['terminate', none])
    },
  )
  it.each([
    ['by the name of what acts', { user: alice, token: opaque('mine') }],
    ['by the id of the grant', { user: alice, grant: opaque('g-1') }],
    ['by the id of the grant alone', { grant: opaque('g-1') }],
  ])('ends a grant that it names itself: %s', async (_, on) => {
    const granted = named(byGrant, { token: opaque('mine'), grant: opaque('g-1') })
    const other = named(byGrant, { token: opaque('other'), grant: opaque('g-2') })
    expect(await after([revoke(on)], [granted, other])).toEqual(['terminate', none])
  })
  it('of all tokens ends every grant that was given before, and none that is given later', async () => {
    const later = human({ began: new Date((noon + 9) * 1000) })
    const all = [byGrant, agentOf(later, { endsWith: 'grant' }), agentOf(later)]
    const revokedTokens = signal(TokensRevoked, { user: alice })
    expect(await after([revokedTokens], all)).toEqual(['terminate', none, none])
  })
  it('reaches by a session alone that is all that is known of who granted', async () => {
    const unnamed = human({ subject: { session: opaque('s-1') }, issuer: idp })
    const all = [agentOf(unnamed, { endsWith: 'grant' })]
    expect(await after([revoke({ session: opaque('s-1') })], all)).toEqual(['terminate'])
  })
})

describe('a condition', () => {
  it('of the device, or of the session, in which a grant was given is not one of the grant', async () => {
    for (const subject of [{ device: laptop }, { user: alice, device: laptop }]) {
      const event = said('/device-compliance-change', { current_status: 'not-compliant' }, subject)
      expect(await after([event()])).toEqual(['suspend', none])
    }
    const risk = { principal: 'SESSION', current_level: 'HIGH' }
    const event = said('/risk-level-change', risk, { session: opaque('s-1') })
    expect(await after([event()])).toEqual(['reauthenticate', none])
  })
  it('of the device on which the agent runs is one of the agent', async () => {
    const event = said(
      '/device-compliance-change',
      { current_status: 'not-compliant' },
      { user: alice, device: opaque('server-1') },
    )
    const onServer = named(byGrant, { device: opaque('server-1') })
    expect(await after([event()], [onServer, byGrant])).toEqual(['suspend', none])
  })
})

describe('an account that is lost', () => {
  const uri = scim('/Users/44f6142df96bd6ab61e7521d9')
  const known = human({ subject: { user: alice, scim: uri } })
  const lifts: readonly (readonly [string, SecurityEvent, SecurityEvent])[] = [
    ['disabled', said('/account-disabled')(), said('/account-enabled')(noon + 5)],
    [
      'deactivated by SCIM',
      said('prov:deactivate', {}, uri)(),
      said('prov:activate', {}, uri)(noon + 5),
    ],
    [
      'compromised',
      signal(CredentialCompromise, alice, { payload: { credential_type: 'password' } }),
      // The new credential is a cut for who logged in with the old one: of grants, it is none.
      signal(CredentialChange, alice, {
        at: noon + 5,
        payload: { credential_type: 'password', change_type: 'update' },
      }),
    ],
    [
      'at high risk',
      signal(RiskLevelChange, alice, { payload: { principal: 'USER', current_level: 'HIGH' } }),
      signal(RiskLevelChange, alice, {
        at: noon + 5,
        payload: { principal: 'USER', current_level: 'LOW' },
      }),
    ],
  ]
  it.each(lifts)('%s: the grant is of no use until it is given back', async (_, taking, lift) => {
    const granted = agentOf(known, { endsWith: 'grant' })
    const [taken] = await after([taking], [granted])
    expect(taken).not.toBe(none)
    expect(await after([taking, lift], [granted])).toEqual([none])
    expect(await after([lift, taking, lift, taking], [granted])).toEqual([none])
  })
  it.each(['/account-purged', 'prov:delete'])('%s: nothing gives it back', async (name) => {
    const event = said(name, {}, name === 'prov:delete' ? uri : { user: alice })
    const later = human({ subject: { user: alice, scim: uri }, began: new Date((noon + 9) * 1000) })
    const granted = agentOf(later, { endsWith: 'grant' })
    expect(await after([event()], [granted])).toEqual(['terminate'])
  })
})
