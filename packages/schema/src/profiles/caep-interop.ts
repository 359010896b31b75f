import { CredentialChange } from '../caep/credential-change.ts'
import { DeviceComplianceChange } from '../caep/device-compliance-change.ts'
import { RiskLevelChange } from '../caep/risk-level-change.ts'
import { SessionRevoked } from '../caep/session-revoked.ts'
import { SetError, type ErrorCode } from '../errors.ts'
import type { EventType } from '../event-type.ts'
import { isComplex } from '../subjects/subject.ts'
import { isObject } from '../json.ts'
import type { SetClaims } from '../sets/security-event-token.ts'
import { createProfile } from './create-profile.ts'
import { currentEvents } from './demands.ts'
import type { Profile } from './profile.ts'

/** The event types of the profile's use cases that need a reason. */
const useCases: readonly EventType[] = [
  SessionRevoked,
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
]

/**
 * OpenID CAEP Interoperability Profile 1.0: RS256, one event, subjects by `email` or `iss_sub`, a
 * `reason_admin` that says something, and no members that the event type does not describe. It
 * reads as `strict` does.
 *
 * @see OpenID CAEP Interoperability Profile 1.0, "Event Types and Use Cases"
 */
export const caepInterop: Profile = /* @__PURE__ */ createProfile({
  name: 'caep-interop',
  algorithms: ['RS256'],
  discovery: { resourceMetadata: true },
  demands: [currentEvents, oneEvent, commonSubject, saysWhy, describedMembers],
})

function oneEvent(claims: SetClaims): void {
  if (Object.keys(claims.events).length === 1) return
  throw forbidden('ERR_SET_CLAIM', '"events" must have one member')
}

function commonSubject(claims: SetClaims): void {
  const { sub_id, events } = claims
  if (typeIn(events) === undefined) return
  const user = isComplex(sub_id) ? sub_id.user : sub_id
  if (user?.format === 'email' || user?.format === 'iss_sub') return
  throw forbidden('ERR_SET_SUBJECT', '"sub_id" must name its user by "email" or "iss_sub"')
}

function saysWhy(claims: SetClaims): void {
  const type = typeIn(claims.events)
  if (!type) return
  const reason = (claims.events[type.uri] as Record<string, unknown>)['reason_admin']
  const texts = isObject(reason) ? Object.values(reason) : []
  if (texts.some((text) => typeof text === 'string' && text.trim() !== '')) return
  throw forbidden('ERR_SET_PAYLOAD', '"reason_admin" must say why in one language at least')
}

function describedMembers(claims: SetClaims): void {
  const type = typeIn(claims.events)
  if (!type) return
  const known = Object.keys(claims.events[type.uri] ?? {}).every((name) =>
    type.members.includes(name),
  )
  if (known) return
  throw forbidden('ERR_SET_PAYLOAD', `"${type.name}" must have the members of its type alone`)
}

const typeIn = (events: SetClaims['events']): EventType | undefined =>
  useCases.find(({ uri }) => Object.hasOwn(events, uri))

const forbidden = (code: ErrorCode, message: string): SetError =>
  new SetError(code, 'invalid_request', `profile "caep-interop": ${message}`)
