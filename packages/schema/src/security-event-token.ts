import { SetError } from './errors.ts'
import { isObject, isStrings } from './json.ts'
import { eventTime } from './event-time.ts'
import type { Notice } from './notice.ts'
import { readSubject, type Subject } from './subject.ts'

/** The `typ` of a SET and, with `application/` before it, its media type. */
export const setType = 'secevent+jwt'
/** The media type of a pushed SET. */
export const setMediaType = 'application/secevent+jwt'

/**
 * The claims of a Security Event Token.
 *
 * @see RFC 8417, "Core SET Claims"; OpenID SSF 1.0, "Profiles of SETs"
 */
export interface SetClaims {
  readonly iss: string
  /** NumericDate, seconds. */
  readonly iat: number
  readonly jti: string
  readonly aud?: string | readonly string[]
  /** Unique to the cause; the same in every SET that comes from it. */
  readonly txn?: string
  /** NumericDate: when the event happened, where the event object does not say. */
  readonly toe?: number
  readonly sub_id: Subject
  /** One event type URI with its event object. */
  readonly events: Readonly<Record<string, object>>
  readonly [claim: string]: unknown
}

/** One event as handlers, hooks and enforcement see it. */
export interface SecurityEvent<Payload extends object = object, Uri extends string = string> {
  /** The event type URI. */
  readonly type: Uri
  readonly payload: Payload
  readonly subject: Subject
  readonly iss: string
  readonly aud: readonly string[]
  readonly jti: string
  /** NumericDate: when the SET was issued. */
  readonly iat: number
  readonly txn?: string
  /** T, NumericDate: when the event happened, as {@link eventTime} finds it. */
  readonly time: number
  readonly notices: readonly Notice[]
  /** All claims as they came. */
  readonly claims: SetClaims
}

/**
 * Reads the claims of a SET by the rules of RFC 8417 and SSF 1.0. The payload is not judged here:
 * that needs the event type. Claims that are not known are kept and ignored.
 *
 * @throws SetError `ERR_SET_CLAIM` or `ERR_SET_SUBJECT`, both `invalid_request`
 * @see RFC 8417, "Core SET Claims"; OpenID SSF 1.0, "Profiles of SETs"
 */
export function readSet(value: unknown): SecurityEvent {
  if (!isObject(value)) throw invalid('the claims of a SET must be a JSON object')
  const { iss, iat, jti, aud, txn, toe, events } = value
  if (typeof iss !== 'string' || iss === '') throw invalid('"iss" must be a non-empty string')
  if (!isDate(iat)) throw invalid('"iat" must be a number of seconds since 1970')
  if (typeof jti !== 'string' || jti === '') throw invalid('"jti" must be a non-empty string')
  if (aud !== undefined && !(typeof aud === 'string' && aud !== '') && !isStrings(aud)) {
    throw invalid('"aud" must be a string or an array of strings')
  }
  if (txn !== undefined && typeof txn !== 'string') throw invalid('"txn" must be a string')
  if (toe !== undefined && !isDate(toe)) throw invalid('"toe" must be a number of seconds')
  // The triple that keeps a SET from passing as an ID Token or an access token (SSF-4.1.3-1).
  if (value['sub'] !== undefined) throw invalid('"sub" must be absent: the subject is in "sub_id"')
  if (value['exp'] !== undefined) throw invalid('"exp" must be absent: a SET does not expire')
  if (!isObject(events)) throw invalid('"events" must be an object of event type URIs')
  const entries = Object.entries(events)
  const [entry] = entries
  if (!entry) throw invalid('"events" must have one member, the event type URI')
  if (entries.length > 1) throw invalid('"events" must have one member: one SET, one event')
  const [type, payload] = entry
  if (!URL.canParse(type)) throw invalid('the member of "events" must be a URI')
  if (!isObject(payload)) throw invalid('the event must be an object, "{}" where it has no members')
  const subject = readSubject(value['sub_id'])
  const claims = value as unknown as SetClaims
  const { time, notices } = eventTime(claims, payload)
  return {
    type,
    payload,
    subject,
    iss,
    aud: aud === undefined ? [] : typeof aud === 'string' ? [aud] : aud,
    jti,
    iat,
    ...(txn === undefined ? {} : { txn }),
    time,
    notices,
    claims,
  }
}

const isDate = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_CLAIM', 'invalid_request', message)
