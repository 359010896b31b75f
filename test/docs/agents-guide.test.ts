import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  createEnforcement,
  fromClaims,
  memoryLedger,
  recommendedPolicy,
  type Explanation,
  type Rule,
  type Who,
} from '@drawbridge/enforcement'
import {
  issSub,
  opaque,
  subjectOf,
  type EventType,
  type IssSubSubject,
  type SubjectInput,
} from '@drawbridge/schema'
import * as caep from '@drawbridge/schema/caep'
import * as oauth from '@drawbridge/schema/oauth'
import { strict } from '@drawbridge/schema/profiles'
import * as risc from '@drawbridge/schema/risc'
import * as scim from '@drawbridge/schema/scim'
import { manualClock } from '@drawbridge/testkit'
import { describe, expect, it } from '@jest/globals'
import { counterSignals, isWith, meaningOf, nameOf, tableOf } from '../support/policy-tables.ts'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

const page = 'docs/guides/agents.md'
const iss = 'https://idp.example'
const [alice, billing] = [issSub(iss, 'alice'), issSub(iss, 'billing')]
const device = opaque('laptop-7')
/** When it happens, in seconds. */
const T = 1_795_000_000

interface Column {
  /** What a fresh one is called: after T it may be free. */
  readonly anew: string
  /** Whom a signal names that is about it. */
  readonly user: IssSubSubject
  who(began: number): Who
}

const token = (began: number) => ({ iss, iat: began, auth_time: began, client_id: 'app' })
/** Each login has a session of its own. */
const sid = (began: number): string => `s-${began}`
const person = (began: number): Who =>
  fromClaims({ ...token(began), sub: 'alice', sid: sid(began) }, { subject: { device } })
const agent = (began: number): Who => ({
  ...fromClaims({ ...token(began), sub: 'alice', act: { sub: 'agent-7' } }),
  delegator: person(began),
})

const columns: Readonly<Record<string, Column>> = {
  "Person's session": { anew: 'login', user: alice, who: person },
  'Service account': {
    anew: 'fresh token',
    user: billing,
    who: (iat) => {
      const subject = { device }
      return fromClaims({ iss, sub: 'billing', client_id: 'billing', iat }, { subject })
    },
  },
  'Agent, session': { anew: 'login', user: alice, who: agent },
  'Agent, grant': {
    anew: 'consent',
    user: alice,
    who: (began) => ({ ...agent(began), endsWith: 'grant' }),
  },
  'API key': {
    anew: 'new key',
    user: alice,
    who: (seconds) => {
      const began = new Date(seconds * 1000)
      const delegator = { subject: { user: alice, device, session: opaque(sid(seconds)) }, began }
      const subject = { credential: opaque('key-1') }
      return { kind: 'apiKey', issuer: iss, subject, began, delegator, endsWith: 'grant' }
    },
  },
}

const change = { credential_type: 'password', change_type: 'update' }
const level = { namespace: 'NIST-AAL', current_level: 'nist-aal1' }
const risk = { principal: 'USER' }

/** An event of each type that takes, and the one that gives back, where there is one. */
const events: readonly (readonly [EventType, object, EventType?, object?])[] = [
  [caep.SessionRevoked, {}],
  [risc.SessionsRevoked, {}],
  [oauth.TokensRevoked, {}],
  [caep.CredentialChange, change],
  [risc.CredentialCompromise, { credential_type: 'password' }, caep.CredentialChange, change],
  [risc.AccountCredentialChangeRequired, {}, caep.CredentialChange, change],
  [risc.RecoveryActivated, {}],
  [
    caep.DeviceComplianceChange,
    { previous_status: 'compliant', current_status: 'not-compliant' },
    caep.DeviceComplianceChange,
    { previous_status: 'not-compliant', current_status: 'compliant' },
  ],
  [
    caep.AssuranceLevelChange,
    { ...level, change_direction: 'decrease' },
    caep.AssuranceLevelChange,
    { ...level, change_direction: 'increase' },
  ],
  [
    caep.RiskLevelChange,
    { ...risk, current_level: 'HIGH' },
    caep.RiskLevelChange,
    { ...risk, current_level: 'LOW' },
  ],
  [caep.TokenClaimsChange, { claims: { role: 'guest' } }],
  [risc.AccountDisabled, {}, risc.AccountEnabled, {}],
  [risc.AccountPurged, {}],
  [scim.ScimDeactivate, {}, scim.ScimActivate, {}],
  [scim.ScimDelete, {}],
]

/** Whom an event names: the login session and the device where it is about these. */
function namedBy(type: EventType, user: IssSubSubject): SubjectInput {
  if (type === caep.SessionRevoked) return { user, session: opaque(sid(T - 100)) }
  return type === caep.DeviceComplianceChange ? { device } : user
}

/** What is left of somebody after some events. */
async function after(
  who: Who,
  applied: readonly (readonly [EventType, object, SubjectInput, number])[],
): Promise<Explanation> {
  const clock = manualClock((T + 60) * 1000)
  const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock }
  const enforcement = createEnforcement(parts)
  await enforcement.start()
  for (const [place, [type, payload, subject, iat]] of applied.entries()) {
    const set = { iss, aud: 'https://app.example', iat, jti: `jti-${place}` }
    const events = { [type.uri]: payload }
    const read = strict.read({ ...set, sub_id: subjectOf(subject), events })
    for (const event of read.events) await enforcement.apply(event)
  }
  const state = enforcement.explain(who)
  await enforcement.stop()
  return state
}

/** What an event does to one, and what gives it back: tried out, all of it. */
async function cellOf(
  [type, payload, counter, lift]: (typeof events)[number],
  { anew, user, who }: Column,
): Promise<string> {
  const subject = namedBy(type, user)
  const taken = [type, payload, subject, T] as const
  const given = counter && lift ? [[counter, lift, subject, T + 20] as const] : []
  const { effect } = await after(who(T - 100), [taken])
  if (effect === undefined) return 'goes on'
  const isFree = async (began: number, isLifted: boolean): Promise<boolean> =>
    (await after(who(began), [taken, ...(isLifted ? given : [])])).effect === undefined
  const back = [
    ...((await isFree(T + 10, false)) ? [anew] : []),
    ...((await isFree(T - 100, true)) ? ['counter-signal'] : []),
  ]
  if (back.length === 0 && (await isFree(T + 30, true))) back.push(`counter-signal, then ${anew}`)
  return `\`${effect}\`; ${back.join(' or ') || 'nothing'}`
}

async function rowOf(event: (typeof events)[number], rule?: Rule): Promise<string[]> {
  const [{ uri }] = event
  const { claims = {} } = rule ?? {}
  const where = Object.entries(claims).map(([name, value]) => ` where ${isWith(name, value)}`)
  const { cause, decision } = meaningOf(uri)
  const counters = decision === 'cut' ? [] : counterSignals(cause)
  expect([uri, event.length > 2]).toEqual([uri, counters.length > 0])
  const cells = Object.values(columns).map(async (column) => cellOf(event, column))
  return [nameOf(uri) + where.join(''), counters.join('; '), ...(await Promise.all(cells))]
}

/** Puts the page's gateway and its word to people to use; what it asks of the network is printed. */
const gatewayProgram = `
import { createEnforcement, memoryLedger, memorySessions, recommendedPolicy } from '@drawbridge/enforcement'
import { together } from '@drawbridge/enforcement/hooks'
import { keep, revoke } from './gateway.js'
import { stop } from './stop.js'
import { tellPeople } from './told.js'
import { agent } from './who.js'

globalThis.fetch = async (url, { body } = {}) => {
  console.log('asked ' + url + ' ' + body)
  return new Response(null)
}
const sessions = memorySessions()
const told = tellPeople(async ({ subject }, text) => {
  console.log('told ' + subject.user.sub + ': ' + text)
})
const tokens = new Map([['up-1', 'refresh-1'], ['up-2', 'refresh-2']])
const enforcement = createEnforcement({
  ledger: memoryLedger(),
  policy: recommendedPolicy(),
  sessions: sessions.find,
  hooks: { terminate: together(told, revoke(tokens)) },
})
await enforcement.start()
const act = { sub: 'agent-7' }
const claims = { iss: '${iss}', sub: 'alice', auth_time: 1750000000, act }
const later = { ...claims, auth_time: Math.floor(Date.now() / 1000) + 3600 }
await sessions.put({ id: 'login', ...agent(claims).delegator })
console.log('kept:', await keep({ sessions, enforcement }, 'up-1', agent(claims)))
await keep({ sessions, enforcement }, 'up-2', agent(later))
await enforcement.take({
  on: agent(claims).delegator.subject.user,
  cause: 'signed out',
  effect: 'terminate',
  reaches: 'began-before',
})
const bob = { ...claims, sub: 'bob' }
await stop(enforcement, agent(bob), 'operator')
const others = [{ ...bob, jti: 'fresh' }, { ...bob, sub: 'carol' }, { ...bob, act: { sub: 'agent-8' } }]
const effects = [bob, ...others].map((one) => enforcement.explain(agent(one)).effect ?? 'goes on')
console.log('stopped: ' + effects.join(', '))
await enforcement.stop()
await enforcement.start()
console.log('kept once more:', await keep({ sessions, enforcement }, 'up-3', agent(claims)))
await enforcement.stop()
`

describe('docs/guides/agents.md', () => {
  it('has what each event of the recommended policy does to whom, as it is done', async () => {
    const rules = new Map(recommendedPolicy().rules.map((rule) => [rule.on.uri, rule]))
    expect(events.map(([{ uri }]) => uri)).toEqual([...rules.keys()])
    const rows: string[][] = []
    for (const event of events) rows.push(await rowOf(event, rules.get(event[0].uri)))
    expect(await tableOf(page, 'kinds')).toEqual(rows)
  })

  it('has programs that compile, and one that prints what the page says', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const [programs, printed] = await Promise.all([blocksOf(page), blocksOf(page, 'output')])
      expect([...programs.keys()]).toEqual([
        'who.ts',
        'agents.ts',
        'stop.ts',
        'gateway.ts',
        'told.ts',
      ])
      for (const [name, code] of programs) await writeFile(path.join(folder, name), code)
      await compile(folder)
      await writeFile(path.join(folder, 'run.js'), gatewayProgram)
      expect(await output(folder, 'agents.js')).toBe(printed.get('agents.ts')?.trim())
      const lines = (await output(folder, 'run.js')).split('\n')
      expect(lines.toSorted()).toEqual([
        'asked https://files.example/revoke token=refresh-1',
        'kept once more: false',
        'kept: true',
        'stopped: suspend, suspend, goes on, goes on',
        'told alice: What acts for you was hit: terminate',
      ])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
