import { describe, expect, it } from '@jest/globals'
import { email, issSub, opaque, type SecurityEvent } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled, IdentifierRecycled } from '@drawbridge/schema/risc'
import { issuerWide, localIssuer, type Who } from '@drawbridge/enforcement'
import {
  agentOf,
  at,
  chainOf,
  effectsOf,
  helper,
  helperOf,
  human,
  named,
} from './delegation-chain.ts'
import { alice, idp, noon, notCompliant, revoked, signal, startedNode } from './signals.ts'

const none = 'none'

describe('Transmitters', () => {
  const [other, mdm] = ['https://agents.example', 'https://mdm.example']
  const bot = issSub(other, 'bot')
  const foreign = agentOf(human(), { subject: { user: bot }, issuer: other })

  it('reach the line of their own issuer alone', async () => {
    const cases: readonly (readonly [SecurityEvent, string])[] = [
      [revoked({ user: alice }), 'terminate'],
      [revoked({ user: bot }), none],
      [revoked({ user: alice }, { iss: other }), none],
      [revoked({ user: bot }, { iss: other }), 'terminate'],
    ]
    for (const [event, expected] of cases) {
      const { enforcement } = await startedNode()
      await enforcement.apply(event)
      expect(effectsOf(enforcement, foreign)).toEqual([expected])
    }
  })
  it('know a delegator without an issuer by that of the one next to it', async () => {
    const unnamed = human({ subject: { user: email('alice@corp.example') } })
    const ofOther = agentOf(unnamed, { subject: { user: bot }, issuer: other })
    const last = helperOf(ofOther, { subject: { user: helper } })
    for (const [iss, expected] of [
      [other, 'terminate'],
      [idp, none],
    ] as const) {
      const { enforcement } = await startedNode()
      await enforcement.apply(revoked({ user: email('alice@corp.example') }, { iss }))
      expect(effectsOf(enforcement, ofOther, last)).toEqual([expected, expected])
    }
  })
  it('go by all their names, on every line', async () => {
    const old = 'https://old.example'
    const { enforcement } = await startedNode({ issuerAliases: { [idp]: [old] } })
    const before = human({ subject: { user: issSub(old, 'alice') }, issuer: old })
    await enforcement.apply(revoked({ user: alice }))
    expect(effectsOf(enforcement, agentOf(before), helperOf(agentOf(before)))).toEqual([
      'terminate',
      'terminate',
    ])
  })
  it('that are only observed take nothing, and are seen', async () => {
    const { enforcement } = await startedNode({ mandates: { [idp]: { mode: 'observe' } } })
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(agentOf())).toMatchObject({ outcome: 'allow', observed: [{}] })
    expect(enforcement.explain(agentOf()).observed).toMatchObject([{ delegator: { user: alice } }])
  })
  it('that are observed for one of two are enforced for the other', async () => {
    const tenant = opaque('t-1')
    const { enforcement } = await startedNode({
      mandates: { [idp]: { tenants: [tenant, opaque('t-2')], observedTenants: [tenant] } },
    })
    const hers = named(human(), { tenant: opaque('t-2') })
    await enforcement.apply(revoked({ user: alice }))
    const decision = enforcement.check(named(agentOf(hers), { tenant }))
    expect(decision).toMatchObject({ outcome: 'refuse', effect: 'terminate' })
  })
  it('with a mandate for devices reach what was delegated on one, and unknown ones by option', async () => {
    const unknownDevice = { issuers: [idp], unknownDevice: 'match' } as const
    const { enforcement } = await startedNode({ mandates: { [mdm]: unknownDevice } })
    await enforcement.apply(notCompliant({ user: alice, device: opaque('tablet') }, { iss: mdm }))
    const { device: _, ...known } = human().subject as { readonly device?: unknown }
    const unknown = human({ subject: known as Who['subject'] })
    expect(
      effectsOf(enforcement, agentOf(unknown), agentOf(), agentOf(unknown, { endsWith: 'grant' })),
    ).toEqual(['suspend', none, 'suspend'])
  })
})

describe('an address that names somebody else from now on', () => {
  const mail = email('alice@corp.example')
  const owner = (seconds: number): Who =>
    agentOf(human({ subject: { user: mail }, issuer: idp, began: at(seconds) }))
  it('is that of who had it when she delegated, whatever is said of who has it now', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(signal(IdentifierRecycled, mail, { at: noon }))
    await enforcement.apply(signal(AccountDisabled, mail, { at: noon + 5 }))
    expect(effectsOf(enforcement, owner(-60), owner(10))).toEqual([none, 'suspend'])
    await enforcement.apply(signal(AccountDisabled, mail, { at: noon - 9 }))
    await enforcement.apply(signal(SessionRevoked, mail, { at: noon - 5 }))
    expect(effectsOf(enforcement, owner(-60), owner(10))).toEqual(['terminate', 'suspend'])
  })
})

describe('an issuer that is not trusted at the moment', () => {
  it('takes along what acts for those it logged in', async () => {
    const other = 'https://agents.example'
    const { enforcement } = await startedNode()
    const all = [
      agentOf(human(), { subject: { user: issSub(other, 'bot') }, issuer: other }),
      chainOf('grant', 'grant'),
      agentOf(human({ subject: { user: issSub(other, 'bob') } })),
      human({ subject: { user: issSub(other, 'bob') } }),
    ]
    await enforcement.take({ on: issuerWide(idp), effect: 'suspend', cause: 'incident' })
    expect(effectsOf(enforcement, ...all)).toEqual(['suspend', 'suspend', 'suspend', none])
    expect(enforcement.explain(all[0] ?? human()).taken[0]?.cause.iss).toBe(localIssuer)
  })
})
