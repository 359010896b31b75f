import { createProfile } from './create-profile.ts'
import type { Profile } from './profile.ts'
import { subjectOnce } from './write-rules.ts'

/**
 * Apple Business Manager and Apple School Manager, which are Receivers. They name no stream, ask
 * for push by the URI of the drafts, send `aud` and `iss` along, and take no subject in the event.
 * Their metadata is that of the drafts: see the option `draftMetadata` of the Transmitter.
 */
export const apple: Profile = /* @__PURE__ */ createProfile({
  name: 'apple',
  write: [subjectOnce],
  serves: {
    onlyStreamMeant: true,
    deliveryMethods: 'draft',
    ignoredMembers: ['aud', 'iss'],
  },
})
