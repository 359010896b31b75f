import { isObject } from '../json.ts'
import { StreamUpdated } from '../ssf/stream-updated.ts'
import { createProfile } from './create-profile.ts'
import type { Profile } from './profile.ts'
import { inEvents, type Tolerance } from './tolerance.ts'

/** `status` holds what its status endpoint answers. */
const statusObject: Tolerance = /* @__PURE__ */ inEvents(
  { name: 'status-object', message: '"status" is an object; its "status" was read' },
  (payload, type) => {
    const { status: answer } = payload
    if (type !== StreamUpdated.uri || !isObject(answer)) return undefined
    const { status, reason } = answer
    const why = payload['reason'] ?? reason
    return { ...payload, status, ...(why === undefined ? {} : { reason: why }) }
  },
)

/** A session called `ALL` stands for every session: without it, the subject says so. */
const allSessions: Tolerance = {
  name: 'all-sessions',
  message: 'the session "ALL" was read as every session of the user',
  apply: (claims) => {
    const { sub_id } = claims
    if (!isObject(sub_id) || !isObject(sub_id['user'])) return undefined
    const { session, ...rest } = sub_id
    if (!isObject(session) || session['id'] !== 'ALL') return undefined
    return { ...claims, sub_id: rest }
  },
}

/** Keycloak 26.7 and later as a Transmitter. It writes the 1.0 form. */
export const keycloak: Profile = /* @__PURE__ */ createProfile({
  name: 'keycloak',
  read: [statusObject, allSessions],
})
