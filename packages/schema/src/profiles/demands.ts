import { SetError, type ErrorCode } from '../errors.ts'
import type { SetClaims } from '../sets/security-event-token.ts'

/** By its URI: the event type would bring a validator to everybody who reads SETs. */
const sessionsRevoked = 'https://schemas.openid.net/secevent/risc/event-type/sessions-revoked'

/**
 * Demands that no event type is sent that has a successor: `sessions-revoked` of RISC.
 *
 * @see OpenID RISC 1.0, "Sessions Revoked"
 */
export function currentEvents({ events }: SetClaims): void {
  if (!Object.hasOwn(events, sessionsRevoked)) return
  throw new SetError(
    'ERR_SET_PAYLOAD',
    'invalid_request',
    '"sessions-revoked" of RISC must not be sent any more: send "session-revoked" of CAEP',
  )
}

/** Makes the error for what a profile forbids. */
export const forbiddenBy =
  (profile: string) =>
  (code: ErrorCode, message: string): SetError =>
    new SetError(code, 'invalid_request', `profile "${profile}": ${message}`)
