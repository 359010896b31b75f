import { createProfile } from './create-profile.ts'
import type { Profile } from './profile.ts'

/**
 * The Go client of SGNL, which is a Receiver: it wants 200 where others want 204, no
 * `moreAvailable`, and sends `max_events`.
 */
export const sgnl: Profile = /* @__PURE__ */ createProfile({
  name: 'sgnl',
  serves: {
    statusFor: { verification: 200, removeSubject: 200 },
    moreAvailable: false,
    pollAliases: true,
  },
})
