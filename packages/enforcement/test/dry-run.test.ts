import { describe, expect, it } from '@jest/globals'
import { email, opaque } from '@drawbridge/schema'
import { RiskLevelChange } from '@drawbridge/schema/caep'
import { AccountDisabled } from '@drawbridge/schema/risc'
import { createEnforcement, createPolicy, memoryLedger } from '@drawbridge/enforcement'
import {
  alice,
  aliceSince,
  compliant,
  idp,
  laptop,
  noon,
  notCompliant,
  revoked,
  signal,
  startedNode,
} from './signals.ts'

const highRisk = signal(
  RiskLevelChange,
  { user: alice },
  { payload: { principal: 'USER', current_level: 'HIGH' } },
)

describe('a dry run', () => {
  it('says what a signal would do to each kind of session', async () => {
    const { enforcement } = await startedNode({
      policy: createPolicy([
        { on: RiskLevelChange, kind: 'agent', effect: 'suspend' },
        { on: RiskLevelChange, kind: 'service', effect: 'restrict', terms: { take: ['write'] } },
        { on: RiskLevelChange, kind: 'human', effect: 'reauthenticate' },
      ]),
    })
    const kinds = ['human', 'service', 'agent', 'apiKey'] as const
    const sessions = kinds.map((kind) => aliceSince(-60, { kind }))
    const runs = await enforcement.dryRun(highRisk, sessions)
    expect(runs.map(({ who }) => who)).toEqual(sessions)
    expect(runs.map(({ before }) => before.effect)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(runs.map(({ after }) => after.effect)).toEqual([
      'reauthenticate',
      'restrict',
      'suspend',
      undefined,
    ])
    await enforcement.apply(highRisk)
    expect(sessions.map((who) => enforcement.explain(who))).toEqual(runs.map(({ after }) => after))
  })
  it('says what it would give back', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(notCompliant({ device: laptop }))
    const lift = compliant({ device: laptop }, { at: noon + 1 })
    const [run] = await enforcement.dryRun(lift, [aliceSince(-60)])
    expect([run?.before.effect, run?.after.effect]).toEqual(['suspend', undefined])
  })
  it('leaves what stands in place, and what a signal cannot change', async () => {
    const { enforcement } = await startedNode()
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    await enforcement.apply(revoked({ user: alice }))
    const [run] = await enforcement.dryRun(notCompliant({ device: laptop }), [aliceSince(-60)])
    expect(run?.after).toEqual(run?.before)
    expect(run?.after.effect).toBe('terminate')
  })
  it('changes nothing, and tells nothing', async () => {
    const ledger = memoryLedger()
    const hooks: string[] = []
    const { enforcement, told } = await startedNode({
      ledger,
      resolve: () => undefined,
      hooks: { terminate: () => hooks.push('terminate') },
    })
    const who = aliceSince(-60)
    const watch = enforcement.signal(who)
    await enforcement.dryRun(revoked({ user: alice }), [who])
    expect(enforcement.check(who).outcome).toBe('allow')
    expect(watch.aborted).toBe(false)
    expect(await ledger.readAll()).toEqual([])
    await enforcement.stop()
    const names = ['signal:applied', 'signal:unresolved', 'signal:unmatched'] as const
    expect([hooks, ...names.map((name) => told(name))]).toEqual([[], [], [], []])
  })
  it('goes by mandates, observation and identity as the signal would', async () => {
    const mdm = 'https://mdm.example'
    const numbered = aliceSince(-60, { subject: { user: opaque('4711') }, issuer: idp })
    const { enforcement } = await startedNode({
      resolve: () => [opaque('4711')],
      mandates: { [mdm]: { issuers: [idp], mode: 'observe' } },
    })
    const mail = email('alice@corp.example')
    const afterOf = async (iss: string) => {
      const event = signal(AccountDisabled, mail, { iss })
      return (await enforcement.dryRun(event, [numbered]))[0]?.after
    }
    expect(await afterOf(idp)).toMatchObject({ effect: 'suspend' })
    expect(await afterOf('https://other.example')).toMatchObject({ taken: [], observed: [] })
    expect(await afterOf(mdm)).toMatchObject({ taken: [], observed: [{ effect: 'suspend' }] })
  })
  it('needs a ledger that has been read', async () => {
    const policy = createPolicy([])
    const enforcement = createEnforcement({ ledger: memoryLedger(), policy })
    await expect(enforcement.dryRun(highRisk, [])).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
  })
})
