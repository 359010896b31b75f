import type { Subject } from '../subjects/subject.ts'
import type { Notice } from './notice.ts'

/** The `typ` of a SET and, with `application/` before it, its media type. */
export const setType = 'secevent+jwt'
/** The media type of a pushed SET. */
export const setMediaType = 'application/secevent+jwt'

/**
 * The claims of a Security Event Token.
 *
 * @see RFC 8417, "Core SET Claims"; OpenID SSF 1.0, "SET Profile"
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
  /** One event type URI with its event object; several of the SCIM family. */
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
  /** T, NumericDate: when the event happened, as `eventTime` finds it. */
  readonly time: number
  /** What was put right about the SET. */
  readonly notices: readonly Notice[]
  /** All claims in the form of SSF 1.0. */
  readonly claims: SetClaims
}

/** A SET that was read. */
export interface SecurityEventToken {
  /** The claims in the form of SSF 1.0. */
  readonly claims: SetClaims
  /** The claims as they came. */
  readonly original: Readonly<Record<string, unknown>>
  /** Its events: one, or several aspects of one change where the family allows them. */
  readonly events: readonly [SecurityEvent, ...SecurityEvent[]]
  /** What was put right, each tolerance once. */
  readonly notices: readonly Notice[]
}
