import { readSet, type EventType, type SecurityEvent } from '@drawbridge/schema'
import {
  AssuranceLevelChange,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionEstablished,
  SessionPresented,
  SessionRevoked,
  TokenClaimsChange,
} from '@drawbridge/schema/caep'
import { TokensRevoked } from '@drawbridge/schema/oauth'
import {
  AccountCredentialChangeRequired,
  AccountDisabled,
  AccountEnabled,
  AccountPurged,
  CredentialCompromise,
  IdentifierChanged,
  IdentifierRecycled,
  OptIn,
  OptOutCancelled,
  OptOutEffective,
  OptOutInitiated,
  RecoveryActivated,
  RecoveryInformationChanged,
  SessionsRevoked,
} from '@drawbridge/schema/risc'
import {
  ScimActivate,
  ScimAsyncResponse,
  ScimCreateFull,
  ScimCreateNotice,
  ScimDeactivate,
  ScimDelete,
  ScimFeedAdd,
  ScimFeedRemove,
  ScimPatchFull,
  ScimPatchNotice,
  ScimPutFull,
  ScimPutNotice,
} from '@drawbridge/schema/scim'
import { StreamUpdated, Verification } from '@drawbridge/schema/ssf'
import { claims } from './support.ts'

type Members = Readonly<Record<string, unknown>>

/** What the tests know of one event type, by the specification and not by its JSON Schema. */
export interface Sample {
  readonly type: EventType
  readonly name: string
  /** The members that are required. */
  readonly minimal: Members
  /** The members that are not. */
  readonly optional: Members
  /** The values of closed enumerations. */
  readonly closed: Readonly<Record<string, readonly string[]>>
  /** Whom it can be about. */
  readonly principals: string
}

const sample = (
  type: EventType,
  principals: string,
  minimal: Members = {},
  optional: Members = {},
  closed: Sample['closed'] = {},
): Sample => ({ type, name: type.name, principals, minimal, optional, closed })

const common = {
  event_timestamp: 1_750_000_000,
  initiating_entity: 'admin',
  reason_admin: { en: 'x' },
  reason_user: { en: 'x', 'es-410': 'y' },
}
const caep = (
  type: EventType,
  principals: string,
  minimal: Members = {},
  optional: Members = {},
  closed: Sample['closed'] = {},
): Sample =>
  sample(
    type,
    principals,
    minimal,
    { ...optional, ...common },
    { ...closed, initiating_entity: ['admin', 'user', 'policy', 'system'] },
  )

const everyone = 'user device session application tenant org_unit group'
const inUse = 'user device session application'
const compliance = ['compliant', 'not-compliant']
const levels = ['LOW', 'MEDIUM', 'HIGH']

/** The event types of CAEP. */
export const caepSamples: readonly Sample[] = [
  caep(
    AssuranceLevelChange,
    'user session',
    { namespace: 'NIST-AAL', current_level: 'nist-aal2' },
    { previous_level: 'nist-aal1', change_direction: 'increase' },
    { change_direction: ['increase', 'decrease'] },
  ),
  caep(
    CredentialChange,
    'user device application',
    { credential_type: 'password', change_type: 'update' },
    { friendly_name: 'x', x509_issuer: 'x', x509_serial: 'x', fido2_aaguid: 'x' },
    { change_type: ['create', 'revoke', 'update', 'delete'] },
  ),
  caep(
    DeviceComplianceChange,
    'device',
    { previous_status: 'compliant', current_status: 'not-compliant' },
    {},
    { previous_status: compliance, current_status: compliance },
  ),
  caep(
    RiskLevelChange,
    everyone,
    { principal: 'USER', current_level: 'HIGH' },
    { previous_level: 'LOW', risk_reason: 'PASSWORD_FOUND_IN_DATA_BREACH' },
    { current_level: levels, previous_level: levels },
  ),
  caep(SessionEstablished, inUse, {}, { fp_ua: 'x', acr: 'x', amr: ['pwd', 'otp'], ext_id: 'x' }),
  caep(SessionPresented, inUse, {}, { fp_ua: 'x', ext_id: 'x' }),
  caep(SessionRevoked, everyone),
  caep(TokenClaimsChange, inUse, { claims: { role: 'ro-admin' } }),
]

const { initiating_entity: _, ...compromise } = common

/** The event types of RISC. */
const riscSamples: readonly Sample[] = [
  sample(AccountCredentialChangeRequired, 'user'),
  sample(AccountDisabled, 'user', {}, { reason: 'hijacking' }),
  sample(AccountEnabled, 'user'),
  sample(AccountPurged, 'user'),
  sample(CredentialCompromise, 'user', { credential_type: 'password' }, compromise),
  sample(IdentifierChanged, 'user', {}, { 'new-value': 'john.roe@example.com' }),
  sample(IdentifierRecycled, 'user'),
  sample(OptIn, 'user'),
  sample(OptOutCancelled, 'user'),
  sample(OptOutEffective, 'user'),
  sample(OptOutInitiated, 'user'),
  sample(RecoveryActivated, 'user'),
  sample(RecoveryInformationChanged, 'user'),
  sample(SessionsRevoked, 'user'),
]

const version = { version: 'W/"a330bc54f0671c9"' }
const notice = (type: EventType): Sample =>
  sample(type, 'user group resource', { attributes: ['userName', 'name.familyName'] }, version)
const full = (type: EventType): Sample =>
  sample(type, 'user group resource', { data: { userName: 'jdoe' } }, version)
const plain = (type: EventType): Sample => sample(type, 'user group resource', {}, version)

/** The event types of SCIM. */
const oauthSamples: readonly Sample[] = [sample(TokensRevoked, 'user')]

const scimSamples: readonly Sample[] = [
  plain(ScimActivate),
  sample(
    ScimAsyncResponse,
    'user group resource',
    { method: 'PUT', status: '200' },
    { ...version, response: { status: '400' }, location: '/Users/1', bulkId: 'qwerty' },
    { method: ['POST', 'PUT', 'PATCH', 'DELETE'] },
  ),
  full(ScimCreateFull),
  notice(ScimCreateNotice),
  plain(ScimDeactivate),
  sample(ScimDelete, 'user group resource'),
  plain(ScimFeedAdd),
  plain(ScimFeedRemove),
  full(ScimPatchFull),
  notice(ScimPatchNotice),
  full(ScimPutFull),
  notice(ScimPutNotice),
]

/** The event types of SSF. */
const ssfSamples: readonly Sample[] = [
  sample(
    StreamUpdated,
    'stream',
    { status: 'enabled' },
    { reason: 'licence' },
    { status: ['enabled', 'paused', 'disabled'] },
  ),
  sample(Verification, 'stream', {}, { state: 'x' }),
]

/** Every event type. */
export const samples: readonly Sample[] = [
  ...caepSamples,
  ...riscSamples,
  ...scimSamples,
  ...oauthSamples,
  ...ssfSamples,
]

/** The messages of all issues that a type has with a payload. */
export const issuesOf = (type: EventType, payload: unknown): string[] =>
  (type.validate(payload).issues ?? []).map(({ message }) => message)

/** The same without one member. */
export const without = (payload: Members, member: string): Members =>
  Object.fromEntries(Object.entries(payload).filter(([name]) => name !== member))

/** The sample of a type. */
export function sampleOf(type: EventType): Sample {
  const found = samples.find((one) => one.type === type)
  if (!found) throw new Error(`no sample of ${type.name}`)
  return found
}

/** The event of a SET that has it alone, with some of its claims changed. */
export const eventOf = (
  { uri }: Pick<EventType, 'uri'>,
  payload: object = {},
  changes: Members = {},
): SecurityEvent => readSet(claims({ ...changes, events: { [uri]: payload } })).events[0]
