import { SetError } from '../errors.ts'
import { isObject, isStrings } from '../json.ts'
import type { IdentifierFormats } from '../subjects/identifier-formats.ts'
import { readSubject } from '../subjects/read-subject.ts'
import { eventTime } from './event-time.ts'
import type { Notice } from './notice.ts'
import type { SecurityEvent, SecurityEventToken, SetClaims } from './security-event-token.ts'

/** Whether one SET may hold several events: of a family that allows it, or of any. */
export type SeveralEvents = 'scim' | 'any'

/** What {@link readSet} goes by. */
export interface ReadSetRules {
  /** Default: those that are known everywhere. */
  readonly identifierFormats?: IdentifierFormats
  /** Default: `scim`. */
  readonly severalEvents?: SeveralEvents
}

const scimFamily = 'urn:ietf:params:scim:event:'

/**
 * Reads the claims of a SET by the rules of RFC 8417 and SSF 1.0. Every profile ends here, after
 * what it puts right. The payloads are not judged: that needs their event types. Claims that are
 * not known are kept and ignored.
 *
 * @throws SetError `ERR_SET_CLAIM` or `ERR_SET_SUBJECT`, both `invalid_request`
 * @see RFC 8417, "Core SET Claims"; OpenID SSF 1.0, "SET Profile"
 */
export function readSet(value: unknown, rules: ReadSetRules = {}): SecurityEventToken {
  if (!isObject(value)) throw invalid('the claims of a SET must be a JSON object')
  checkEnvelope(value)
  const entries = eventEntries(value['events'], rules.severalEvents ?? 'scim')
  readSubject(value['sub_id'], 'sub_id', rules.identifierFormats)
  const claims = value as unknown as SetClaims
  const notices: Notice[] = []
  const add = (found: readonly Notice[]): void => {
    for (const notice of found) {
      if (!notices.some(({ name }) => name === notice.name)) notices.push(notice)
    }
  }
  const eventOf = ([type, payload]: readonly [string, object]): SecurityEvent => {
    const { time, notices: found } = eventTime(claims, payload)
    add(found)
    return securityEvent(claims, { type, payload, time, notices })
  }
  const [first, ...others] = entries
  return {
    claims,
    original: value,
    events: [eventOf(first), ...others.map(eventOf)],
    notices,
  }
}

function securityEvent(
  claims: SetClaims,
  own: Pick<SecurityEvent, 'type' | 'payload' | 'time' | 'notices'>,
): SecurityEvent {
  const { iss, aud, jti, iat, txn, sub_id: subject } = claims
  return {
    type: own.type,
    payload: own.payload,
    subject,
    iss,
    aud: aud === undefined ? [] : typeof aud === 'string' ? [aud] : aud,
    jti,
    iat,
    time: own.time,
    notices: own.notices,
    claims,
    ...(txn === undefined ? {} : { txn }),
  }
}

function checkEnvelope(claims: Record<string, unknown>): void {
  const { iss, iat, jti, aud, txn, toe } = claims
  if (typeof iss !== 'string' || iss === '') throw invalid('"iss" must be a non-empty string')
  if (!isDate(iat)) throw invalid('"iat" must be a number of seconds since 1970')
  if (typeof jti !== 'string' || jti === '') throw invalid('"jti" must be a non-empty string')
  if (aud !== undefined && !(typeof aud === 'string' && aud !== '') && !isStrings(aud)) {
    throw invalid('"aud" must be a string or an array of strings')
  }
  if (txn !== undefined && typeof txn !== 'string') throw invalid('"txn" must be a string')
  if (toe !== undefined && !isDate(toe)) throw invalid('"toe" must be a number of seconds')
  // The triple that keeps a SET from passing as an ID Token or an access token (SSF-4.1.3-1).
  if (claims['sub'] !== undefined) {
    throw invalid('"sub" must be absent: the subject is in "sub_id"')
  }
  if (claims['exp'] !== undefined) throw invalid('"exp" must be absent: a SET does not expire')
}

type EventEntry = readonly [type: string, payload: object]

function eventEntries(
  events: unknown,
  several: SeveralEvents,
): readonly [EventEntry, ...EventEntry[]] {
  if (!isObject(events)) throw invalid('"events" must be an object of event type URIs')
  const entries = Object.entries(events)
  for (const [type, payload] of entries) {
    if (!URL.canParse(type)) throw invalid('the member of "events" must be a URI')
    if (!isObject(payload)) {
      throw invalid('the event must be an object, "{}" where it has no members')
    }
  }
  const [first, ...others] = entries as EventEntry[]
  if (!first) throw invalid('"events" must have one member, the event type URI')
  const mayBeSeveral = several === 'any' || entries.every(([type]) => type.startsWith(scimFamily))
  if (others.length > 0 && !mayBeSeveral) {
    throw invalid('"events" must have one member: one SET, one event')
  }
  return [first, ...others]
}

const isDate = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_CLAIM', 'invalid_request', message)
