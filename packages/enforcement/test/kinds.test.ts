import { describe, expect, it } from '@jest/globals'
import { issSub, opaque, type SecurityEvent, type SubjectInput } from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  RiskLevelChange,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import {
  AccountCredentialChangeRequired,
  AccountDisabled,
  AccountPurged,
  CredentialCompromise,
  RecoveryActivated,
  SessionsRevoked,
} from '@drawbridge/schema/risc'
import { ScimDeactivate } from '@drawbridge/schema/scim'
import {
  createPolicy,
  fromClaims,
  type EnforcementOptions,
  type Explanation,
  type HookCall,
  type Rule,
  type SessionKind,
  type Who,
} from '@drawbridge/enforcement'
import { settled } from '@drawbridge/testkit'
import { sessionKinds } from '../src/who.ts'
import {
  alice,
  aliceSince,
  idp,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  signal,
  startedNode,
} from './signals.ts'

const billing = issSub(idp, 'billing')
/** The client's own token, and which of its secrets it was obtained with. */
const service = (iat = noon - 60, credential = 'secret-1'): Who =>
  fromClaims(
    { iss: idp, sub: 'billing', client_id: 'billing', iat },
    { subject: { credential: opaque(credential) } },
  )
const key = (id = 'key-1', created = noon - 60): Who => ({
  kind: 'apiKey',
  issuer: idp,
  subject: { credential: opaque(id) },
  began: new Date(created * 1000),
  delegator: aliceSince(created - noon),
  endsWith: 'grant',
})
const agent = (loggedIn = noon - 60): Who =>
  fromClaims({ iss: idp, sub: 'alice', sid: 's-1', auth_time: loggedIn, act: { sub: 'agent-7' } })

const level = { namespace: 'NIST-AAL', current_level: 'nist-aal1' }
const assurance = (
  subject: SubjectInput,
  change_direction: 'decrease' | 'increase',
  at = noon,
): SecurityEvent =>
  signal(AssuranceLevelChange, subject, { at, payload: { ...level, change_direction } })
const risk = (
  subject: SubjectInput,
  current_level: 'LOW' | 'MEDIUM' | 'HIGH',
  at = noon,
): SecurityEvent =>
  signal(RiskLevelChange, subject, { at, payload: { principal: 'USER', current_level } })
const changeRequired = (subject: SubjectInput): SecurityEvent =>
  signal(AccountCredentialChangeRequired, subject)

type OfSubject = (subject: SubjectInput) => SecurityEvent

/** What asks for a proof, and what takes that back. */
const asking: readonly (readonly [string, OfSubject, OfSubject])[] = [
  [
    'a credential that has to be changed',
    changeRequired,
    (subject) => passwordChanged(subject, { at: noon + 20 }),
  ],
  [
    'a lower assurance',
    (subject) => assurance(subject, 'decrease'),
    (subject) => assurance(subject, 'increase', noon + 20),
  ],
  ['a high risk', (subject) => risk(subject, 'HIGH'), (subject) => risk(subject, 'LOW', noon + 20)],
  [
    'a high risk, taken back by a milder one',
    (subject) => risk(subject, 'HIGH'),
    (subject) => risk(subject, 'MEDIUM', noon + 20),
  ],
]

/** What is left of somebody after some events. */
async function after(who: Who, ...events: readonly SecurityEvent[]): Promise<Explanation> {
  const { enforcement } = await startedNode()
  for (const event of events) await enforcement.apply(event)
  const state = enforcement.explain(who)
  await enforcement.stop()
  return state
}

describe('a service account', () => {
  it.each(asking)('waits for the counter-signal after %s', async (_, taken, given) => {
    const state = await after(service(), taken({ user: billing }))
    expect(state).toMatchObject({ effect: 'suspend', taken: [{ restoredBy: 'counter-signal' }] })
    const fresh = await after(service(noon + 10), taken({ user: billing }))
    expect(fresh.effect).toBe('suspend')
    const back = await after(service(noon + 30), taken({ user: billing }), given({ user: billing }))
    expect(back.taken).toEqual([])
  })
  it.each<[string, OfSubject]>([
    [
      'changed claims',
      (subject) => signal(TokenClaimsChange, subject, { payload: { claims: {} } }),
    ],
    ['a changed credential', passwordChanged],
    ['a recovery', (subject) => signal(RecoveryActivated, subject)],
    ['sessions that were revoked', (subject) => signal(SessionsRevoked, subject)],
    ['tokens that were revoked', (subject) => signal(TokensRevoked, subject)],
  ])('gets a fresh token after %s', async (_, taken) => {
    expect((await after(service(), taken({ user: billing }))).effect).toBeDefined()
    expect((await after(service(noon + 10), taken({ user: billing }))).taken).toEqual([])
  })
  it('has no session that could be revoked by its id', async () => {
    const event = revoked({ user: billing, session: opaque('s-1') })
    expect((await after(service(), event)).taken).toEqual([])
  })
  it('goes on with another secret than the one that leaked', async () => {
    const leaked = signal(
      CredentialCompromise,
      { application: opaque('billing'), credential: opaque('secret-1') },
      { payload: { credential_type: 'client-secret' } },
    )
    expect((await after(service(noon + 10), leaked)).effect).toBe('terminate')
    expect((await after(service(noon - 60, 'secret-2'), leaked)).taken).toEqual([])
  })
})

describe('an API key', () => {
  it.each<[string, SecurityEvent]>([
    ['logout', revoked({ user: alice, session: opaque('s-1') })],
    ['logout everywhere', signal(SessionsRevoked, { user: alice })],
    ['new password', passwordChanged({ user: alice })],
    ['recovery', signal(RecoveryActivated, { user: alice })],
    ['device', notCompliant({ device: laptop })],
    ['password that has to be changed', changeRequired({ user: alice })],
    ['weaker login', assurance({ user: alice }, 'decrease')],
  ])("outlives its owner's %s", async (_, event) => {
    expect((await after(key(), event)).taken).toEqual([])
    expect((await after(aliceSince(-60), event)).effect).toBeDefined()
  })
  it.each<[string, SecurityEvent, string]>([
    ['that is disabled', signal(AccountDisabled, { user: alice }), 'suspend'],
    ['that is deactivated', signal(ScimDeactivate, { user: alice }), 'suspend'],
    ['that is gone', signal(AccountPurged, { user: alice }), 'terminate'],
    ['without tokens', signal(TokensRevoked, { user: alice }), 'terminate'],
    ['at risk', risk({ user: alice }, 'HIGH'), 'suspend'],
    [
      'that was taken over',
      signal(CredentialCompromise, { user: alice }, { payload: { credential_type: 'password' } }),
      'terminate',
    ],
  ])('does not outlive an account %s', async (_, event, effect) => {
    const state = await after(key(), event)
    expect(state.effect).toBe(effect)
    expect(state.taken[0]?.delegator).toMatchObject({ user: alice })
  })
  it('goes on when the risk of its owner is lower', async () => {
    const lower = risk({ user: alice }, 'LOW', noon + 20)
    expect((await after(key(), risk({ user: alice }, 'HIGH'), lower)).taken).toEqual([])
    expect((await after(key('key-2', noon + 10), risk({ user: alice }, 'HIGH'))).effect).toBe(
      'suspend',
    )
  })
  it('is made anew after a change of claims', async () => {
    const change = signal(TokenClaimsChange, { user: alice }, { payload: { claims: {} } })
    expect((await after(key(), change)).effect).toBe('reauthenticate')
    expect((await after(key('key-2', noon + 10), change)).taken).toEqual([])
  })
  it('can be named itself, and then nobody else is meant', async () => {
    const leaked = signal(
      CredentialCompromise,
      { credential: opaque('key-1') },
      { payload: { credential_type: 'app' } },
    )
    expect((await after(key(), leaked)).effect).toBe('terminate')
    for (const who of [key('key-2'), aliceSince(-60)]) {
      expect((await after(who, leaked)).taken).toEqual([])
    }
  })
})

describe('an agent, and whoever sent it', () => {
  it.each(asking)('are asked to authenticate after %s', async (_, taken) => {
    for (const who of [aliceSince(-60), agent()]) {
      const state = await after(who, taken({ user: alice }))
      expect(state).toMatchObject({
        effect: 'reauthenticate',
        taken: [{ effect: 'reauthenticate' }],
      })
    }
    for (const who of [aliceSince(10), agent(noon + 10)]) {
      expect((await after(who, taken({ user: alice }))).taken).toEqual([])
    }
  })
})

describe('a hook', () => {
  it('is told of the sessions that its own effect is for', async () => {
    const sessions = [aliceSince(-60), agent(), key()]
    const told: Record<string, readonly Who[]> = {}
    const tell = async (call: HookCall): Promise<void> => {
      told[call.name] = await call.sessions()
      expect(sessions.filter((who) => call.takesFrom(who))).toEqual(told[call.name])
    }
    const { enforcement } = await startedNode({
      sessions: () => sessions,
      hooks: { suspend: tell, reauthenticate: tell },
    })
    await enforcement.apply(risk({ user: alice }, 'HIGH'))
    await enforcement.stop()
    expect(told).toEqual({ suspend: [key()], reauthenticate: [aliceSince(-60), agent()] })
  })
  it('is told of the kinds that its own effect can reach', async () => {
    const kinds: Record<string, readonly string[]> = {}
    const tell = ({ name, kinds: of }: HookCall): void => void (kinds[name] = of)
    const tenant = opaque('bank')
    const { enforcement } = await startedNode({
      policy: createPolicy([
        // Of this tenant alone, so that the next rule for services counts as well.
        { on: RiskLevelChange, kind: 'service', tenant, effect: 'terminate' },
        { on: RiskLevelChange, kind: 'service', effect: 'suspend' },
        { on: RiskLevelChange, tenant, effect: 'suspend' },
        { on: RiskLevelChange, kind: 'apiKey', effect: 'suspend' },
        // Never reached by keys and services.
        { on: RiskLevelChange, effect: 'reauthenticate' },
        { on: SessionRevoked, effect: 'terminate' },
      ]),
      hooks: { suspend: tell, reauthenticate: tell, terminate: tell },
    })
    await enforcement.apply(risk({ user: alice }, 'HIGH'))
    await settled()
    expect(kinds).toEqual({
      terminate: ['service'],
      suspend: sessionKinds,
      reauthenticate: ['human', 'agent'],
    })
    await enforcement.apply(revoked(alice))
    await enforcement.stop()
    expect(kinds['terminate']).toEqual(sessionKinds)
  })
  it.each<[string, readonly SessionKind[], readonly Rule[]]>([
    [
      'two kinds',
      ['apiKey', 'service'],
      [
        { on: RiskLevelChange, kind: 'service', effect: 'terminate' },
        { on: RiskLevelChange, kind: 'apiKey', effect: 'suspend' },
      ],
    ],
    [
      'all and one',
      sessionKinds.toSorted(),
      [
        { on: RiskLevelChange, tenant: opaque('bank'), effect: 'terminate' },
        { on: RiskLevelChange, kind: 'service', effect: 'suspend' },
      ],
    ],
    [
      'one and all',
      sessionKinds.toSorted(),
      [
        { on: RiskLevelChange, kind: 'service', tenant: opaque('bank'), effect: 'terminate' },
        { on: RiskLevelChange, effect: 'suspend' },
      ],
    ],
  ])('of a mandate that makes two effects one is for the kinds of both: %s', async (...given) => {
    const [, of, rules] = given
    const calls: HookCall[] = []
    const { enforcement } = await startedNode({
      mandates: { [idp]: { issuers: [idp], hardest: 'suspend' } },
      policy: createPolicy(rules),
      hooks: {
        suspend: (call) => void calls.push(call),
        terminate: (call) => void calls.push(call),
      },
    })
    await enforcement.apply(risk({ user: alice }, 'HIGH'))
    await enforcement.stop()
    expect(calls.map(({ name, kinds }) => [name, kinds.toSorted()])).toEqual([['suspend', of]])
  })
  it.each<[string, Partial<EnforcementOptions>]>([
    ['a mandate', { mandates: { [idp]: { issuers: [idp], hardest: 'reauthenticate' } } }],
    ['a protected account', { protect: [alice] }],
  ])('is called once where two effects come to the same by %s', async (_, options) => {
    const calls: HookCall[] = []
    const hook = (call: HookCall): void => void calls.push(call)
    const { enforcement } = await startedNode({
      ...options,
      policy: createPolicy([
        { on: RiskLevelChange, kind: 'apiKey', effect: 'suspend' },
        { on: RiskLevelChange, kind: 'service', effect: 'terminate' },
        { on: RiskLevelChange, effect: 'reauthenticate', terms: { acr: 'mfa' } },
      ]),
      hooks: { suspend: hook, reauthenticate: hook, terminate: hook },
    })
    await enforcement.apply(risk({ user: alice }, 'HIGH'))
    await enforcement.stop()
    expect(calls).toMatchObject([{ name: 'reauthenticate', terms: { acr: 'mfa' } }])
    expect([aliceSince(-60), key()].filter((who) => calls[0]?.takesFrom(who))).toHaveLength(2)
    expect(calls[0]?.kinds).toEqual(sessionKinds)
  })
})
