import { SessionRevoked } from '../caep/session-revoked.ts'
import type { SetClaims } from '../sets/security-event-token.ts'
import { namesOf, isComplex } from '../subjects/subject.ts'
import { createProfile } from './create-profile.ts'
import { forbiddenBy } from './demands.ts'
import { isOfCaepOrRisc } from './families.ts'
import type { Profile } from './profile.ts'
import { repeatSubject } from './write-rules.ts'

/**
 * Google Workspace as a Receiver: `session-revoked` alone, about a user by e-mail address, in
 * `sub_id` and in the event. Of several names of the user, the address is sent.
 */
export const googleWorkspace: Profile = /* @__PURE__ */ createProfile({
  name: 'google-workspace',
  demands: [sessionRevokedAlone],
  write: [byEmail, repeatSubject()],
  serves: {
    audience: 'https://sharedsignals.googleapis.com',
    eventTypes: [SessionRevoked.uri],
  },
})

function sessionRevokedAlone({ events }: SetClaims): void {
  if (Object.keys(events).every((type) => !isOfCaepOrRisc(type) || type === SessionRevoked.uri))
    return
  throw forbidden('ERR_SET_PAYLOAD', '"events" must be "session-revoked": it takes no other')
}

/** A session of a user is not told by its user: to name the user alone would end them all. */
function byEmail(claims: SetClaims): SetClaims {
  const { sub_id, events } = claims
  if (!Object.hasOwn(events, SessionRevoked.uri)) return claims
  const address = isComplex(sub_id)
    ? undefined
    : namesOf(sub_id).find(({ format }) => format === 'email')
  if (address) return { ...claims, sub_id: address }
  throw forbidden('ERR_SET_SUBJECT', '"sub_id" must name the user by "email"')
}

const forbidden = /* @__PURE__ */ forbiddenBy('google-workspace')
