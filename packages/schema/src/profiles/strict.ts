import { createProfile } from './create-profile.ts'
import { currentEvents } from './demands.ts'
import type { Profile } from './profile.ts'

/** The final 1.0 texts and nothing else: the default. */
export const strict: Profile = /* @__PURE__ */ createProfile({
  name: 'strict',
  demands: [currentEvents],
})
