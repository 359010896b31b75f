// The same judgements by hand: one known event type, one known form of subject, no error messages,
// no other formats, nothing that could be extended.
import { sessionRevoked } from '../support/events.mjs'

const entities = new Set(['admin', 'user', 'policy', 'system'])
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Bytes to a SET, or an error. Does not see a member name that occurs twice. */
export const fromBytes = (bytes) => validate(JSON.parse(decoder.decode(bytes)))

/** What strict and the payload's validator ask of a session-revoked SET. */
export function validate(claims) {
  if (!isObject(claims) || !isEnvelope(claims) || !isSubject(claims.sub_id)) throw new Error('bad')
  const [[type, payload], ...others] = Object.entries(claims.events)
  if (type !== sessionRevoked || others.length > 0 || !isPayload(payload)) throw new Error('bad')
  const { iss, aud, jti, iat, txn, sub_id: subject } = claims
  const audience = typeof aud === 'string' ? [aud] : aud
  const time = payload.event_timestamp ?? claims.toe ?? iat
  return { type, payload, subject, iss, aud: audience, jti, iat, txn, time, claims }
}

/** Whether one complex subject of `iss_sub` and `opaque` is about the other: both, or the session. */
export const matchesSession = (event, session) =>
  isSameUser(event.user, session.user) && event.session.id === session.session.id

/** Whether they agree in what both have. */
export function matchesStream(event, added) {
  if (event.user && added.user && !isSameUser(event.user, added.user)) return false
  if (event.session && added.session && event.session.id !== added.session.id) return false
  return Boolean((event.user && added.user) || (event.session && added.session))
}

const isSameUser = (one, other) => one.sub === other.sub && one.iss === other.iss
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value) => typeof value === 'string' && value !== ''
const isDate = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isAudience = (aud) => isText(aud) || (Array.isArray(aud) && aud.every(isText))

const isEnvelope = ({ iss, iat, jti, aud, txn, toe, sub, exp, events }) =>
  isText(iss) &&
  isDate(iat) &&
  isText(jti) &&
  (aud === undefined || isAudience(aud)) &&
  (txn === undefined || typeof txn === 'string') &&
  (toe === undefined || isDate(toe)) &&
  sub === undefined &&
  exp === undefined &&
  isObject(events)

const isSubject = (subject) =>
  isObject(subject) &&
  subject.format === 'complex' &&
  isObject(subject.user) &&
  subject.user.format === 'iss_sub' &&
  isText(subject.user.iss) &&
  isText(subject.user.sub) &&
  isObject(subject.session) &&
  subject.session.format === 'opaque' &&
  isText(subject.session.id)

const isReasons = (reasons) => {
  if (reasons === undefined) return true
  if (!isObject(reasons)) return false
  const texts = Object.values(reasons)
  return texts.length > 0 && texts.every((text) => typeof text === 'string')
}

const isPayload = (payload) =>
  isObject(payload) &&
  (payload.event_timestamp === undefined || isDate(payload.event_timestamp)) &&
  (payload.initiating_entity === undefined || entities.has(payload.initiating_entity)) &&
  isReasons(payload.reason_admin) &&
  isReasons(payload.reason_user)
