import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  complex,
  email,
  issSub,
  opaque,
  type SecurityEvent,
  type SubjectIdentifier,
  type SubjectInput,
} from '@drawbridge/schema'
import { TokenClaimsChange } from '@drawbridge/schema/caep'
import {
  AccountDisabled,
  AccountEnabled,
  CredentialCompromise,
  IdentifierRecycled,
} from '@drawbridge/schema/risc'
import {
  createPolicy,
  localIssuer,
  readEntry,
  memoryLedger,
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
  revoked,
  signal,
  startedNode,
  type TestNode,
} from './signals.ts'

const other = 'https://other.example'
const tenant = opaque('t-1')

let node: TestNode
beforeEach(async () => {
  node = await startedNode()
})
afterEach(() => node.enforcement.stop())

const apply = async (...events: readonly SecurityEvent[]): Promise<void> => {
  for (const event of events) await node.enforcement.apply(event)
}
const outcomeOf = (who: Who): string => node.enforcement.check(who).outcome

/** A session of somebody, begun some seconds after noon. */
const sessionOf = (subject: SubjectInput, seconds: number, more: Partial<Who> = {}): Who => ({
  subject,
  began: new Date((noon + seconds) * 1000),
  issuer: idp,
  ...more,
})

const local = { beganIsLocal: true }

describe('attack: getting round a condition', () => {
  it('by logging out and in again on the same bad device', async () => {
    await apply(notCompliant({ device: laptop }))
    const again = { subject: { user: alice, device: laptop, session: opaque('s-2') } }
    expect(outcomeOf(aliceSince(50, again))).toBe('refuse')
  })
  it('S4: by a token that was minted with the leaked secret after the report', async () => {
    const application = opaque('billing')
    const leaked = opaque('key-1')
    const payload = { credential_type: 'x509' }
    const subject: SubjectInput = complex({ application, credential: leaked })
    await apply(signal(CredentialCompromise, subject, { payload }))
    const minted = (credential: SubjectIdentifier, seconds: number): Who => {
      return sessionOf(complex({ application, credential }), seconds, { kind: 'service' })
    }
    expect([-10, 1, 3000].map((seconds) => outcomeOf(minted(leaked, seconds)))).toEqual([
      'refuse',
      'refuse',
      'refuse',
    ])
    expect(outcomeOf(minted(opaque('key-2'), 1))).toBe('allow')
  })
})

describe('attack: passing for a session that began later', () => {
  it.each([
    ['by a silent renewal, whose auth_time is the old one', aliceSince(-300)],
    ['by a refreshed token, whose session began before', aliceSince(-300, { acr: 'mfa' })],
    [
      'by an exchanged token of another audience and id',
      aliceSince(-300, {
        subject: { user: alice, session: opaque('s-9'), token: opaque('minted-now') },
      }),
    ],
    ['by a login in the very second of T', aliceSince(0)],
    ['by a cookie set later, of a clock that is not the issuer’s', aliceSince(20, local)],
  ])('%s', async (_, who) => {
    await apply(revoked({ user: alice }))
    expect(outcomeOf(who)).toBe('refuse')
  })
  it('and the session that did begin later is let in', async () => {
    await apply(revoked({ user: alice }))
    expect(outcomeOf(aliceSince(1))).toBe('allow')
  })
  it('by being made after the signal: it comes before the session exists', async () => {
    await apply(revoked({ session: opaque('not-made-yet') }), notCompliant({ device: laptop }))
    expect(outcomeOf(sessionOf({ session: opaque('not-made-yet') }, 900))).toBe('refuse')
    expect(outcomeOf(sessionOf({ device: laptop }, 900))).toBe('refuse')
  })
})

describe('attack: a lift', () => {
  it('that is replayed', async () => {
    const old = compliant({ device: laptop }, { at: noon - 10 })
    await apply(old, notCompliant({ device: laptop }), old)
    expect(outcomeOf(aliceSince(50))).toBe('refuse')
  })
  it('of another Transmitter', async () => {
    await apply(signal(AccountDisabled, alice))
    await apply(signal(AccountEnabled, alice, { at: noon + 1, iss: other }))
    expect(outcomeOf(aliceSince(50))).toBe('refuse')
  })
  it('from outside, of a local cause', async () => {
    await node.enforcement.take({ on: laptop, cause: 'device-compliance', effect: 'suspend' })
    await apply(compliant(laptop, { at: noon + 900 }), compliant(laptop, { iss: other }))
    expect(outcomeOf(aliceSince(50))).toBe('refuse')
  })
  it('by a SET that says it is the application', async () => {
    await node.enforcement.take({ on: laptop, cause: 'device-compliance', effect: 'suspend' })
    const event = compliant(laptop, { at: noon + 900, iss: localIssuer })
    await expect(node.enforcement.apply(event)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
    expect(outcomeOf(aliceSince(50))).toBe('refuse')
  })
  it('by a SET whose issuer has the application’s name as an alias', async () => {
    const issuerAliases = { [localIssuer]: [other] }
    await expect(startedNode({ issuerAliases })).rejects.toThrow('"issuerAliases" must not have')
  })
})

describe('attack: another customer’s Transmitter names our users (SET-2.2-2)', () => {
  const mail = email('alice@corp.example')
  const who = sessionOf({ user: alice, email: mail }, -60)
  it.each([
    ['by iss_sub', { user: alice }],
    ['by iss_sub alone', alice],
    ['by e-mail', mail],
    ['by a session id', opaque('s-1')],
  ])('%s', async (_, subject) => {
    await apply(
      revoked(subject, { iss: other }),
      signal(AccountDisabled, subject, { iss: other }),
      notCompliant(subject, { iss: other }),
    )
    expect(node.enforcement.explain(who)).toMatchObject({ taken: [], observed: [] })
    expect(outcomeOf(who)).toBe('allow')
  })
  it('and hooks are told of no session', async () => {
    const found: unknown[] = []
    const { enforcement } = await startedNode({
      sessions: () => [who],
      hooks: { terminate: async ({ sessions }) => found.push(await sessions()) },
    })
    await enforcement.apply(revoked(alice, { iss: other }))
    await enforcement.apply(revoked(alice))
    await enforcement.stop()
    // The hook of the other Transmitter, where it is called at all, finds nobody.
    expect(found.filter((sessions) => (sessions as unknown[]).length > 0)).toEqual([[who]])
  })
})

describe('attack: a device event where sessions have no known device', () => {
  const on = complex({ device: laptop, tenant })
  const unknown = sessionOf({ user: alice, tenant }, -60)
  const elsewhere = sessionOf({ user: alice, tenant: opaque('t-2') }, -60)
  const known = sessionOf({ user: alice, tenant, device: laptop }, -60)
  const another = sessionOf({ user: alice, tenant, device: opaque('phone') }, -60)

  it('CAEP-3.1-3: takes nothing from them by default, not where another id reads like the device’s', async () => {
    await apply(notCompliant(on))
    expect(outcomeOf(sessionOf({ user: laptop, tenant }, -60))).toBe('allow')
    expect([unknown, elsewhere, known, another].map(outcomeOf)).toEqual([
      'allow',
      'allow',
      'refuse',
      'allow',
    ])
  })
  it('takes from those whose device is not known where that is written out', async () => {
    await node.enforcement.stop()
    node = await startedNode({ mandates: { [idp]: { unknownDevice: 'match' } } })
    await apply(notCompliant(on))
    expect([unknown, elsewhere, known, another].map(outcomeOf)).toEqual([
      'refuse',
      'allow',
      'refuse',
      'allow',
    ])
    await apply(compliant(on, { at: noon + 1 }))
    expect([unknown, known].map(outcomeOf)).toEqual(['allow', 'allow'])
  })
  it('that names nothing but a device never matches everybody', async () => {
    await node.enforcement.stop()
    node = await startedNode({ mandates: { [idp]: { unknownDevice: 'match' } } })
    await apply(notCompliant({ device: laptop }))
    expect(outcomeOf(unknown)).toBe('allow')
  })
})

describe('attack: an address that was given to somebody else', () => {
  const mail = email('desk@corp.example')
  const before = sessionOf({ user: mail }, -100)
  const after = sessionOf({ user: mail }, 50)
  const recycled = signal(IdentifierRecycled, mail, { at: noon })

  it.each([['first'], ['last']])(
    'RISC-2.6-1: what was said before is about the old owner, told %s',
    async (order) => {
      const disabled = signal(AccountDisabled, mail, { at: noon - 50 })
      await apply(...(order === 'first' ? [recycled, disabled] : [disabled, recycled]))
      expect([outcomeOf(before), outcomeOf(after)]).toEqual(['refuse', 'allow'])
    },
  )
  it('RISC-2.6-1: what is said after it is about the new owner', async () => {
    await apply(recycled, signal(AccountDisabled, { user: mail }, { at: noon + 10 }))
    expect([outcomeOf(before), outcomeOf(after)]).toEqual(['allow', 'refuse'])
  })
  it('another Transmitter’s word about it shields nobody', async () => {
    await apply(signal(IdentifierRecycled, mail, { at: noon, iss: other }))
    await apply(signal(AccountDisabled, mail, { at: noon - 50 }))
    expect([outcomeOf(before), outcomeOf(after)]).toEqual(['refuse', 'refuse'])
  })
  it('a local cause is no such word', async () => {
    const cause = 'identifier-recycled'
    await expect(node.enforcement.take({ on: mail, cause, effect: 'suspend' })).rejects.toThrow(
      /"cause"/,
    )
    await expect(node.enforcement.giveBack({ on: mail, cause })).rejects.toThrow(/"cause"/)
  })
})

describe('attack: a wrong time', () => {
  it('CAEP-2-1 COMPAT-1-8: in milliseconds is read as what it is', async () => {
    await apply(revoked({ user: alice }, { at: noon * 1000, iat: noon + 5 }))
    expect([outcomeOf(aliceSince(-1)), outcomeOf(aliceSince(1))]).toEqual(['refuse', 'allow'])
  })
  it.each([
    ['in the future', noon + 900_000],
    ['years ago', noon - 10 * 365 * 86_400],
  ])('%s counts as the time of issue', async (_, at) => {
    await apply(revoked({ user: alice }, { at, iat: noon }))
    expect([outcomeOf(aliceSince(-1)), outcomeOf(aliceSince(1))]).toEqual(['refuse', 'allow'])
  })
  it('in the future does not keep a later lift from counting', async () => {
    await apply(notCompliant({ device: laptop }, { at: noon + 900_000, iat: noon }))
    await apply(compliant({ device: laptop }, { at: noon + 1 }))
    expect(outcomeOf(aliceSince(-1))).toBe('allow')
  })
})

describe('attack: identifiers', () => {
  it.each([
    ['"__proto__"', '__proto__'],
    ['"constructor"', 'constructor'],
    ['a very long text', 'x'.repeat(100_000)],
  ])('%s is an identifier like any other', async (_, text) => {
    const who = sessionOf({ user: opaque(text) }, -60)
    await apply(revoked({ user: opaque(text) }))
    expect(outcomeOf(who)).toBe('refuse')
    expect(outcomeOf(sessionOf({ user: opaque(`${text}x`) }, -60))).toBe('allow')
  })
  it('a member named "__proto__" makes nobody match', async () => {
    const subject = JSON.parse('{"format":"complex","__proto__":{"format":"opaque","id":"s-1"}}')
    await apply(revoked(subject as SubjectInput))
    expect(outcomeOf(aliceSince(-60))).toBe('allow')
  })
  it('an issuer named "__proto__" has no more of a mandate than others', async () => {
    await apply(notCompliant({ tenant }, { iss: '__proto__' }))
    expect(node.told('signal:outside-mandate')).toHaveLength(1)
  })
  it('that look alike are different: composed and decomposed, Latin and Cyrillic', async () => {
    const composed = 'Zo\u00eb'
    await apply(revoked({ user: issSub(idp, composed) }))
    expect(outcomeOf(sessionOf({ user: issSub(idp, composed) }, -60))).toBe('refuse')
    for (const alike of [composed.normalize('NFD'), 'Z\u043e\u00eb']) {
      expect(outcomeOf(sessionOf({ user: issSub(idp, alike) }, -60))).toBe('allow')
    }
  })
})

describe('attack: claims of a token that change', () => {
  const policy = createPolicy([
    { on: TokenClaimsChange, effect: 'restrict', terms: { leaveClaim: 'scope' } },
  ])
  const changed = (claims: Record<string, unknown>, at = noon): SecurityEvent =>
    signal(TokenClaimsChange, { user: alice }, { at, payload: { claims } })
  const who = aliceSince(-60, { grants: ['read', 'write'] })
  const outcomeFor = (grant: string): string =>
    node.enforcement.check(who, { requires: [grant] }).outcome

  beforeEach(async () => {
    await node.enforcement.stop()
    node = await startedNode({ policy })
  })

  it('leave what they still list, and give nothing that the session never had', async () => {
    await apply(changed({ scope: 'read admin' }))
    expect(['read', 'write', 'admin'].map(outcomeFor)).toEqual(['allow', 'refuse', 'refuse'])
  })
  it('give nothing back by speaking of another claim', async () => {
    await apply(changed({ scope: 'read' }), changed({ role: 'admin' }, noon + 10))
    expect(['read', 'write'].map(outcomeFor)).toEqual(['allow', 'refuse'])
    expect(node.told('signal:ignored')).toHaveLength(1)
  })
  it.each([[['read', 'two words', 'a"quote', 7]], ['read a"quote back\\slash']])(
    'are kept so that any node can read them, whatever is listed: %j',
    async (scope) => {
      const ledger = memoryLedger()
      const { enforcement } = await startedNode({ policy, ledger })
      await enforcement.apply(changed({ scope }))
      const [entry] = await ledger.readAll()
      expect(readEntry(JSON.stringify(entry)).terms).toEqual({ leave: ['read'] })
      await enforcement.stop()
    },
  )
})
