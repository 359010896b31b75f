import { describe, expect, it } from '@jest/globals'
import { aliases, complex, email, opaque, type SubjectInput } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { AccountDisabled } from '@drawbridge/schema/risc'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type Hooks,
  type Mandate,
  type Mandates,
  type Who,
} from '@drawbridge/enforcement'
import {
  alice,
  aliceSince,
  compliant,
  idp,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  signal,
  startedNode,
  type TestNode,
} from './signals.ts'

const mdm = 'https://mdm.example'
const own = opaque('t-1')
const foreign = opaque('t-2')

const nodeWith = (mandate: Mandate, hooks: Hooks = {}): Promise<TestNode> =>
  startedNode({ mandates: { [mdm]: mandate }, hooks })

const fromMdm = { iss: mdm }

const of = (tenant: ReturnType<typeof opaque> | undefined, more: Partial<Who> = {}): Who => {
  const subject = complex({ user: alice, device: laptop, ...(tenant && { tenant }) })
  return aliceSince(-60, { subject, ...more })
}

describe('issuers', () => {
  it('give a Transmitter the sessions of other login issuers, and no others', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp] })
    await enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    const others = ['https://third.example', mdm]
    for (const issuer of others) {
      expect(enforcement.check(aliceSince(-60, { issuer })).outcome).toBe('allow')
    }
  })
  it('take nothing away from what the login issuer itself may say', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp] })
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
  })
  it('are of one Transmitter: what another one lifts stays', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp] })
    await enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1 }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1, ...fromMdm }))
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('allow')
  })
})

describe('tenants', () => {
  it('let a Transmitter speak of a whole tenant that is its own', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp], tenants: [own] })
    await enforcement.apply(notCompliant({ tenant: own }, fromMdm))
    await enforcement.apply(notCompliant({ tenant: foreign }, fromMdm))
    const outcomes = [of(own), of(foreign), of(undefined)].map(
      (who) => enforcement.check(who).outcome,
    )
    expect(outcomes).toEqual(['refuse', 'allow', 'allow'])
  })
  it('keep it from the sessions of other tenants, whomever it names', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp], tenants: [own] })
    await enforcement.apply(signal(AccountDisabled, alice, fromMdm))
    const outcomes = [of(own), of(foreign), of(undefined)].map(
      (who) => enforcement.check(who).outcome,
    )
    expect(outcomes).toEqual(['refuse', 'allow', 'allow'])
  })
  it.each([['group'], ['org_unit']])('are needed to speak of a %s', async (name) => {
    const subject = complex({ [name]: opaque('g') }) as SubjectInput
    const without = await nodeWith({ issuers: [idp] })
    await without.enforcement.apply(notCompliant(subject, fromMdm))
    expect(without.told('signal:outside-mandate')).toMatchObject([{ reason: 'tenant-wide' }])
    const within = await nodeWith({ issuers: [idp], tenants: [own] })
    await within.enforcement.apply(notCompliant(subject, fromMdm))
    const member = of(own, { subject: complex({ user: alice, tenant: own, [name]: opaque('g') }) })
    expect(without.enforcement.check(member).outcome).toBe('allow')
    expect(within.enforcement.check(member).outcome).toBe('refuse')
  })
})

describe('attack: without a mandate for it, speaking of a tenant', () => {
  it('as a whole takes nothing, and is told', async () => {
    const { enforcement, told } = await startedNode()
    await enforcement.apply(notCompliant({ tenant: own }))
    expect(enforcement.check(of(own)).outcome).toBe('allow')
    expect(told('signal:outside-mandate')).toMatchObject([{ reason: 'tenant-wide', iss: idp }])
    expect(told('signal:applied')).toEqual([])
  })
  it.each(['tenant', 'org_unit', 'group'])(
    'by an opaque id that is the id of its %s takes nothing',
    async (name) => {
      const { enforcement } = await startedNode()
      for (const event of [revoked(own), notCompliant(own)]) await enforcement.apply(event)
      const who = aliceSince(-60, { subject: { user: alice, [name]: own } })
      expect(enforcement.check(who).outcome).toBe('allow')
      const another = aliceSince(-60, { subject: { user: alice, device: own } })
      expect(enforcement.check(another).outcome).toBe('refuse')
    },
  )
})

describe('e-mail domains', () => {
  const mandate: Mandate = { issuers: [idp], emailDomains: ['Corp.example'] }
  it.each<[string, SubjectInput, boolean]>([
    ['of the domain', email('a@corp.example'), true],
    ['of the domain, in other letters', email('A@CORP.example'), true],
    ['of a sub-domain, which is another domain', email('a@eu.corp.example'), false],
    ['of a domain that ends alike', email('a@evilcorp.example'), false],
    ['whose local part pretends', email('"a@corp.example"@evil.example'), false],
    ['of the domain, whose local part is odd', email('"a@evil.example"@corp.example'), true],
    ['in a member', { user: email('a@evil.example') }, false],
    ['among others', aliases(email('a@corp.example'), email('a@evil.example')), false],
    ['beside what is no address', { user: alice }, true],
  ])('let through an address %s as they should', async (_, subject, passes) => {
    const { enforcement, told } = await nodeWith(mandate)
    await enforcement.apply(signal(AccountDisabled, subject, fromMdm))
    expect(told('signal:applied')).toHaveLength(passes ? 1 : 0)
    const reasons = told('signal:outside-mandate').map(({ reason }) => reason)
    expect(reasons).toEqual(passes ? [] : ['email-domain'])
  })
  it('hold for what was recorded before they were written, too', async () => {
    const ledger = memoryLedger()
    const who = aliceSince(0, { subject: { user: email('a@evil.example') }, issuer: idp })
    const before = await startedNode({ ledger, mandates: { [mdm]: { issuers: [idp] } } })
    await before.enforcement.apply(signal(AccountDisabled, email('a@evil.example'), fromMdm))
    expect(before.enforcement.check(who).outcome).toBe('refuse')
    await before.enforcement.stop()
    const after = await startedNode({ ledger, mandates: { [mdm]: mandate } })
    expect(after.enforcement.check(who).outcome).toBe('allow')
  })
  it('hold for no Transmitter but the one that they are written for', async () => {
    const { enforcement, told } = await nodeWith(mandate)
    await enforcement.apply(signal(AccountDisabled, email('a@evil.example')))
    expect(told('signal:applied')).toHaveLength(1)
  })
})

describe('the hardest effect', () => {
  it('stands for every harder one, and milder ones stay', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp], hardest: 'suspend' })
    await enforcement.apply(revoked({ user: alice }, fromMdm))
    expect(enforcement.check(aliceSince(-60))).toMatchObject({ effect: 'suspend' })
    const milder = await nodeWith({ issuers: [idp], hardest: 'suspend' })
    await milder.enforcement.apply(passwordChanged({ user: alice }, fromMdm))
    expect(milder.enforcement.check(aliceSince(-60))).toMatchObject({ effect: 'reauthenticate' })
  })
  it('is the name that hooks get as well', async () => {
    const calls: string[] = []
    const { enforcement } = await nodeWith(
      { issuers: [idp], hardest: 'suspend' },
      {
        terminate: () => calls.push('terminate'),
        suspend: ({ effect }) => calls.push(`suspend by ${effect}`),
      },
    )
    await enforcement.apply(revoked({ user: alice }, fromMdm))
    await enforcement.stop()
    expect(calls).toEqual(['suspend by suspend'])
  })
  it('leaves other Transmitters what they may', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp], hardest: 'suspend' })
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(aliceSince(-60))).toMatchObject({ effect: 'terminate' })
  })
})

describe('observation', () => {
  const observe: Mandate = { issuers: [idp], mode: 'observe' }

  it('allows, says on each request what would have happened, and explains it', async () => {
    const { enforcement, told } = await nodeWith(observe)
    await enforcement.apply(notCompliant({ device: laptop }, { ...fromMdm, jti: 'seen' }))
    expect(told('signal:applied')).toMatchObject([{ observed: true }])
    expect(enforcement.check(aliceSince(-60))).toMatchObject({
      outcome: 'allow',
      observed: [{ jti: 'seen' }],
    })
    expect(told('request:observed')).toMatchObject([{ causes: [{ jti: 'seen' }] }])
    expect(told('request:denied')).toEqual([])
    const { effect, taken, observed } = enforcement.explain(aliceSince(-60))
    expect({ effect, taken }).toEqual({ effect: undefined, taken: [] })
    expect(observed).toMatchObject([{ effect: 'suspend', cause: { jti: 'seen' } }])
  })
  it('runs no hook', async () => {
    const calls: string[] = []
    const { enforcement } = await nodeWith(observe, {
      suspend: () => calls.push('suspend'),
      restore: () => calls.push('restore'),
    })
    await enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    await enforcement.apply(compliant({ device: laptop }, { at: noon + 1, ...fromMdm }))
    await enforcement.stop()
    expect(calls).toEqual([])
  })
  it('ends no session by time', async () => {
    const { enforcement } = await startedNode({
      mandates: { [mdm]: observe },
      policy: createPolicy([
        { on: SessionRevoked, effect: 'shorten', terms: { lifetimeSeconds: 600 } },
      ]),
    })
    await enforcement.apply(revoked({ user: alice }, fromMdm))
    const { observed, expiresAt } = enforcement.explain(aliceSince(-60))
    expect(observed).toHaveLength(1)
    expect(expiresAt).toBeUndefined()
  })
  it('of one Transmitter hides nothing of what another takes', async () => {
    const { enforcement } = await nodeWith(observe)
    await enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    await enforcement.apply(revoked({ user: alice }))
    expect(enforcement.check(aliceSince(-60))).toMatchObject({ effect: 'terminate' })
  })
  it('becomes enforcement when the mandate does, for what was recorded before', async () => {
    const ledger = memoryLedger()
    const first = await startedNode({ ledger, mandates: { [mdm]: observe } })
    await first.enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    await first.enforcement.stop()
    const { enforcement } = await startedNode({ ledger, mandates: { [mdm]: { issuers: [idp] } } })
    expect(enforcement.check(aliceSince(-60)).outcome).toBe('refuse')
  })
  it('can be of some tenants alone', async () => {
    const { enforcement } = await nodeWith({ issuers: [idp], observedTenants: [foreign] })
    await enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    const outcomes = [of(own), of(foreign), of(undefined)].map(
      (who) => enforcement.check(who).outcome,
    )
    expect(outcomes).toEqual(['refuse', 'allow', 'refuse'])
    expect(enforcement.explain(of(foreign)).observed).toHaveLength(1)
  })
  it('of a tenant shows hooks none of its sessions', async () => {
    const found: unknown[] = []
    const { enforcement } = await startedNode({
      mandates: { [mdm]: { issuers: [idp], observedTenants: [foreign] } },
      sessions: () => [of(own), of(foreign)],
      hooks: { suspend: async ({ sessions }) => found.push(...(await sessions())) },
    })
    await enforcement.apply(notCompliant({ device: laptop }, fromMdm))
    await enforcement.stop()
    expect(found).toEqual([of(own)])
  })
})

describe('mandates that are wrong', () => {
  it('are named, all of them, at construction', () => {
    const mandates = {
      [mdm]: {
        issuers: idp,
        hardest: 'restrict',
        mode: 'watch',
        unknownDevice: true,
        tenant: [],
      },
    } as unknown as Mandates
    const options = { ledger: memoryLedger(), policy: recommendedPolicy(), mandates }
    const pattern = ['issuers', 'hardest', 'mode', 'unknownDevice', 'tenant"']
    for (const name of pattern) expect(() => createEnforcement(options)).toThrow(name)
  })
})
