import type { SetClaims } from '../sets/security-event-token.ts'
import { createProfile } from './create-profile.ts'
import { forbiddenBy } from './demands.ts'
import { isOfCaep } from './families.ts'
import type { Profile } from './profile.ts'
import { subjectInEvent, twoSubjects, unmarkedComplex } from './subject-tolerances.ts'
import { repeatSubject } from './write-rules.ts'

/**
 * Okta. It sends the subject in the event, complex ones without `format`. What it takes has the
 * subject in the event too, and a reason; it has no stream management, so that its stream is a
 * static one.
 */
export const okta: Profile = /* @__PURE__ */ createProfile({
  name: 'okta',
  read: [unmarkedComplex, subjectInEvent, twoSubjects],
  demands: [someReason],
  write: [repeatSubject()],
})

function someReason({ events }: SetClaims): void {
  for (const [type, payload] of Object.entries(events)) {
    if (!isOfCaep(type) || 'reason_admin' in payload || 'reason_user' in payload) continue
    throw forbiddenBy('okta')(
      'ERR_SET_PAYLOAD',
      '"reason_admin" or "reason_user" must say why the event happened',
    )
  }
}
