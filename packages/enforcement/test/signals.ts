import {
  issSub,
  opaque,
  readSet,
  subjectOf,
  type EventType,
  type PayloadOf,
  type SecurityEvent,
  type SubjectInput,
} from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type Cause,
  type Enforcement,
  type EnforcementEvents,
  type EnforcementOptions,
  type LedgerEntry,
  type Who,
} from '@drawbridge/enforcement'
import { manualClock, type ManualClock } from '@drawbridge/testkit'

export const idp = 'https://idp.example'
export const alice = issSub(idp, 'alice')
export const laptop = opaque('laptop-7')
/** The second in which most of the tests play. */
export const noon = 1_795_000_000

export interface Envelope {
  readonly iss?: string
  readonly jti?: string
  readonly iat?: number
  readonly txn?: string
  readonly at?: number
}

let serial = 0

/** A signal as the receiver hands it over: about a subject, at a second. */
export function signal<Payload extends object>(
  type: EventType<Payload>,
  subject: SubjectInput,
  {
    at = noon,
    iat = at,
    iss = idp,
    jti = `jti-${++serial}`,
    ...rest
  }: Envelope & { payload?: Payload } = {},
): SecurityEvent {
  const { payload = {}, ...claims } = rest
  const event = { ...payload, event_timestamp: at }
  const { events } = readSet({
    ...claims,
    iss,
    jti,
    iat: Math.ceil(iat),
    sub_id: subjectOf(subject),
    events: { [type.uri]: event },
  })
  return events[0]
}

export const revoked = (subject: SubjectInput, envelope?: Envelope): SecurityEvent =>
  signal(SessionRevoked, subject, envelope)

export const passwordChanged = (
  subject: SubjectInput,
  envelope?: Envelope,
  change_type: PayloadOf<typeof CredentialChange>['change_type'] = 'update',
): SecurityEvent =>
  signal(CredentialChange, subject, {
    ...envelope,
    payload: { credential_type: 'password', change_type },
  })

export const notCompliant = (subject: SubjectInput, envelope?: Envelope): SecurityEvent =>
  signal(DeviceComplianceChange, subject, {
    ...envelope,
    payload: { previous_status: 'compliant', current_status: 'not-compliant' },
  })

export const compliant = (subject: SubjectInput, envelope?: Envelope): SecurityEvent =>
  signal(DeviceComplianceChange, subject, {
    ...envelope,
    payload: { previous_status: 'not-compliant', current_status: 'compliant' },
  })

/** Alice on her laptop, logged in some seconds after noon (before it, when negative). */
export const aliceSince = (seconds: number, more: Partial<Who> = {}): Who => ({
  subject: { user: alice, device: laptop, session: opaque('s-1') },
  began: new Date((noon + seconds) * 1000),
  ...more,
})

export type EntryParts = Partial<Omit<LedgerEntry, 'cause'>> & { readonly cause?: Partial<Cause> }

/** A ledger entry: a cut of all of Alice's sessions at noon, unless said otherwise. */
export function entryWith({ cause, ...parts }: EntryParts = {}): LedgerEntry {
  return {
    on: alice,
    effect: 'terminate',
    since: noon,
    reaches: 'began-before',
    ...parts,
    cause: {
      iss: idp,
      name: 'session-revoked',
      type: SessionRevoked.uri,
      jti: 'jti-0',
      iat: noon,
      ...cause,
    },
  }
}

/** One node, started a minute after noon, and what it told. */
export interface TestNode {
  readonly enforcement: Enforcement
  readonly clock: ManualClock
  /** What it told so far under a name. */
  told<Name extends keyof EnforcementEvents>(name: Name): EnforcementEvents[Name][]
}

export async function startedNode(options: Partial<EnforcementOptions> = {}): Promise<TestNode> {
  const clock = manualClock((noon + 60) * 1000)
  const parts = { ledger: memoryLedger(), policy: recommendedPolicy(), clock, ...options }
  const enforcement = createEnforcement(parts)
  const told = new Map<string, unknown[]>()
  for (const name of watched) {
    const list: unknown[] = []
    told.set(name, list)
    enforcement.events.on(name, (event) => list.push(event))
  }
  await enforcement.start()
  return { enforcement, clock, told: (name) => (told.get(name) ?? []) as never }
}

const watched = [
  'signal:applied',
  'signal:ignored',
  'signal:outside-mandate',
  'signal:unresolved',
  'signal:unmatched',
  'request:denied',
  'request:observed',
  'hook:succeeded',
] as const
