import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { email, opaque, type SecurityEvent, type SubjectInput } from '@drawbridge/schema'
import {
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import {
  AccountDisabled,
  AccountEnabled,
  CredentialCompromise,
  IdentifierRecycled,
  RecoveryActivated,
} from '@drawbridge/schema/risc'
import {
  createEnforcement,
  createPolicy,
  localIssuer,
  memoryLedger,
  type Effect,
  type Enforcement,
  type Ledger,
  type LedgerEntry,
  type LedgerFollower,
  type Mandates,
  type Taken,
  type Terms,
  type Who,
} from '@drawbridge/enforcement'
import { manualClock } from '@drawbridge/testkit'
import {
  alice,
  aliceSince,
  compliant,
  entryWith,
  idp,
  laptop,
  noon,
  notCompliant,
  passwordChanged,
  revoked,
  signal,
  type Envelope,
} from './signals.ts'

const mdm = 'https://mdm.example'
const watcher = 'https://watcher.example'
const mail = email('alice@corp.example')

const mandates: Mandates = {
  [mdm]: { issuers: [idp], hardest: 'suspend' },
  [watcher]: { issuers: [idp], mode: 'observe' },
}

const policy = createPolicy([
  { on: SessionRevoked, effect: 'terminate' },
  { on: CredentialChange, effect: 'reauthenticate', terms: { acr: 'mfa', graceSeconds: 30 } },
  { on: CredentialCompromise, effect: 'terminate' },
  { on: RecoveryActivated, effect: 'shorten', terms: { lifetimeSeconds: 40 } },
  { on: AccountDisabled, effect: 'suspend' },
  { on: DeviceComplianceChange, kind: 'agent', effect: 'restrict', terms: { take: ['write'] } },
  { on: DeviceComplianceChange, effect: 'suspend' },
  {
    on: RiskLevelChange,
    claims: { current_level: 'HIGH' },
    effect: 'reauthenticate',
    terms: { maxAgeSeconds: 62 },
  },
  { on: TokenClaimsChange, effect: 'restrict', terms: { leaveClaim: 'scope' } },
])

/** What a node can learn: from a Transmitter, or from another node what an application took. */
type Arrival =
  | { readonly at: number; readonly event: SecurityEvent }
  | { readonly at: number; readonly entry: LedgerEntry }

const scoped = (scope: string) => {
  return (subject: SubjectInput, envelope: Envelope): SecurityEvent =>
    signal(TokenClaimsChange, subject, { ...envelope, payload: { claims: { scope } } })
}
const risk = (current_level: 'LOW' | 'MEDIUM' | 'HIGH') => {
  return (subject: SubjectInput, envelope: Envelope): SecurityEvent => {
    const payload = { principal: 'USER', current_level }
    return signal(RiskLevelChange, subject, { ...envelope, payload })
  }
}

const makers: readonly ((subject: SubjectInput, envelope: Envelope) => SecurityEvent)[] = [
  revoked,
  passwordChanged,
  notCompliant,
  compliant,
  risk('LOW'),
  risk('MEDIUM'),
  risk('HIGH'),
  scoped('read write'),
  scoped('read'),
  (subject, envelope) => signal(AccountDisabled, subject, envelope),
  (subject, envelope) => signal(AccountEnabled, subject, envelope),
  (subject, envelope) => signal(RecoveryActivated, subject, envelope),
  (subject, envelope) =>
    signal(CredentialCompromise, subject, {
      ...envelope,
      payload: { credential_type: 'password' },
    }),
  (_, envelope) => signal(IdentifierRecycled, mail, envelope),
]

const subjects: readonly SubjectInput[] = [alice, { user: alice }, mail, laptop, { device: laptop }]

const locals: readonly { readonly effect: Effect; readonly terms?: Terms }[] = [
  { effect: 'suspend' },
  { effect: 'restrict', terms: { take: ['read'] } },
  { effect: 'shorten', terms: { lifetimeSeconds: 50 } },
]

const jtis = fc.oneof(
  fc.uuid({ version: 7 }),
  fc.uuid({ version: 4 }),
  fc.string({ minLength: 1, maxLength: 4 }),
)
/** Few, so that signals about the same thing at the same time are common. */
const times = fc.constantFrom(0, 1, 2, 2.25, 2.75, 9)

const arrivalsFromOutside = fc
  .record({
    at: times,
    jti: jtis,
    iss: fc.constantFrom(idp, idp, idp, mdm, watcher, 'https://other.example'),
    make: fc.constantFrom(...makers),
    subject: fc.constantFrom(...subjects),
  })
  .map(({ at, jti, iss, make, subject }): Arrival => {
    return { at, event: make(subject, { at: noon + at, iat: noon + 20, iss, jti }) }
  })

const arrivalsFromInside = fc
  .record({
    at: times,
    jti: jtis,
    parts: fc.constantFrom(...locals),
    on: fc.constantFrom(alice, laptop, mail),
    name: fc.constantFrom('operator', 'incident'),
    isLift: fc.boolean(),
  })
  .map(({ at, jti, parts, on, name, isLift }): Arrival => {
    const cause = { iss: localIssuer, type: localIssuer, name, jti }
    const since = noon + at
    const entry = isLift
      ? entryWith({ on, since, reaches: 'all', effect: 'suspend', lifted: true, cause })
      : entryWith({ on, since, reaches: 'all', ...parts, cause })
    return { at, entry }
  })

const arrivals = fc.uniqueArray(
  fc.oneof({ weight: 4, arbitrary: arrivalsFromOutside }, arrivalsFromInside),
  // A jti is used once, as the specification has it.
  {
    minLength: 1,
    maxLength: 24,
    size: 'max',
    selector: (one) => idOf(one),
    comparator: 'SameValue',
  },
)

const idOf = (arrival: Arrival): string =>
  ('event' in arrival ? arrival.event.jti : arrival.entry.cause.jti).toLowerCase()

const sessions: readonly Who[] = [-5, 1, 2, 9, 12].flatMap((seconds) => [
  aliceSince(seconds, { acr: 'mfa' }),
  aliceSince(seconds, { kind: 'agent' }),
  aliceSince(seconds, { subject: { user: mail, device: opaque('phone') }, issuer: idp }),
  aliceSince(seconds, { issuer: mdm }),
])

/** The state of every session, in a form that can be compared. */
const stateOf = ({ check, explain }: Enforcement): unknown =>
  sessions.map((who) => {
    const { taken, observed, ...rest } = explain(who)
    return {
      ...rest,
      taken: sorted(taken),
      observed: sorted(observed),
      outcomes: [undefined, [], ['read'], ['write']].map(
        (requires) => check(who, requires && { requires }).outcome,
      ),
    }
  })

const sorted = (taken: readonly Taken[]): readonly string[] =>
  taken.map((one) => JSON.stringify(one)).toSorted()

interface Node {
  readonly enforcement: Enforcement
  learn(arrival: Arrival): Promise<void>
}

/** A node, a minute after noon, whose ledger it shares with one that tells of local signals. */
async function startedNode(): Promise<Node> {
  const memory = memoryLedger()
  let follower: LedgerFollower | undefined
  const ledger: Ledger = {
    ...memory,
    follow: async (one) => {
      follower = one
      one.put(await memory.readAll())
      one.heard()
    },
  }
  const clock = manualClock((noon + 60) * 1000)
  const enforcement = createEnforcement({ ledger, policy, mandates, clock, acrOrder: ['mfa'] })
  await enforcement.start()
  return {
    enforcement,
    learn: async (arrival) => {
      if ('event' in arrival) return enforcement.apply(arrival.event)
      const { entry } = await memory.write(arrival.entry)
      follower?.put([entry])
    },
  }
}

async function stateAfter(learnt: readonly Arrival[], atOnce = false): Promise<unknown> {
  const { enforcement, learn } = await startedNode()
  if (atOnce) await Promise.all(learnt.map(learn))
  else for (const arrival of learnt) await learn(arrival)
  const state = stateOf(enforcement)
  await enforcement.stop()
  return state
}

/** All of them at least once, in any order, some again. */
const shuffled = (all: readonly Arrival[]): fc.Arbitrary<readonly Arrival[]> =>
  fc.array(fc.nat({ max: all.length - 1 }), { maxLength: 6 }).chain((again) => {
    const repeated = again.flatMap((place) => all[place] ?? [])
    const both = [...all, ...repeated]
    return fc.shuffledSubarray(both, { minLength: both.length })
  })

describe('any interleaving, repetition and loss-free reordering of signals', () => {
  it('ends in the same state as replaying them by T', async () => {
    const cases = arrivals.chain((all) => fc.tuple(fc.constant(all), shuffled(all), fc.boolean()))
    await fc.assert(
      fc.asyncProperty(cases, async ([all, arriving, atOnce]) => {
        const replayed = all.toSorted((one, other) => one.at - other.at)
        expect(await stateAfter(arriving, atOnce)).toEqual(await stateAfter(replayed))
      }),
      { numRuns: 300 },
    )
  })

  it('leaves a state that is the same after a restart, read from the ledger', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, async (all) => {
        const { enforcement, learn } = await startedNode()
        for (const arrival of all) await learn(arrival)
        const before = stateOf(enforcement)
        await enforcement.stop()
        await enforcement.start()
        expect(stateOf(enforcement)).toEqual(before)
        await enforcement.stop()
      }),
      { numRuns: 50 },
    )
  })
})

describe('two causes, one lifted', () => {
  /** Takings, each with what lifts it and nothing else. */
  const pairs: readonly (readonly [Arrival, Arrival])[] = [
    pairOf(notCompliant, compliant, { device: laptop }),
    pairOf(notCompliant, compliant, { user: alice, device: laptop }),
    pairOf(notCompliant, compliant, { device: laptop }, mdm),
    pairOf(risk('HIGH'), risk('LOW'), { user: alice }),
    pairOf(
      (subject, envelope) => signal(AccountDisabled, subject, envelope),
      (subject, envelope) => signal(AccountEnabled, subject, envelope),
      alice,
    ),
    localPair('operator'),
    localPair('incident'),
  ]
  const twoOf = fc.shuffledSubarray([...pairs], { minLength: 2, maxLength: 2 })

  it('the other stays, in whatever order they come', async () => {
    const cases = twoOf.chain(([lifted, other]) => {
      const all = [lifted?.[0], lifted?.[1], other?.[0]].flatMap((one) => one ?? [])
      return fc.tuple(fc.constant(other), fc.shuffledSubarray(all, { minLength: 3 }))
    })
    await fc.assert(
      fc.asyncProperty(cases, async ([other, arriving]) => {
        if (!other) return
        expect(await stateAfter(arriving)).toEqual(await stateAfter([other[0]]))
        expect(await stateAfter([other[0]])).not.toEqual(await stateAfter([]))
      }),
      { numRuns: 100 },
    )
  })
})

function pairOf(
  take: (typeof makers)[number],
  lift: (typeof makers)[number],
  subject: SubjectInput,
  iss = idp,
): readonly [Arrival, Arrival] {
  const [first, second] = [noon + 2, noon + 5]
  return [
    { at: 2, event: take(subject, { at: first, iss }) },
    { at: 5, event: lift(subject, { at: second, iss }) },
  ]
}

function localPair(name: string): readonly [Arrival, Arrival] {
  const cause = { iss: localIssuer, type: localIssuer, name, jti: name }
  const parts = { on: alice, reaches: 'all', effect: 'suspend', cause } as const
  return [
    { at: 2, entry: entryWith({ ...parts, since: noon + 2 }) },
    { at: 5, entry: entryWith({ ...parts, since: noon + 5, lifted: true }) },
  ]
}
