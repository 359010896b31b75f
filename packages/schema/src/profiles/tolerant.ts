import { claimTolerances } from './claim-tolerances.ts'
import { createProfile } from './create-profile.ts'
import type { Profile } from './profile.ts'
import { subjectTolerances } from './subject-tolerances.ts'
import { draftEventNames } from './tolerance.ts'

/**
 * For peers of whom nothing is known: reads what every draft since 2018 had, and what is commonly
 * got wrong. Signature, `iss`, `aud`, `sub` and `exp` are judged as in `strict`. It writes the 1.0
 * form, and takes the requests of drafts as far as they say which stream they mean.
 */
export const tolerant: Profile = /* @__PURE__ */ createProfile({
  name: 'tolerant',
  read: [draftEventNames, ...claimTolerances, ...subjectTolerances],
  severalEvents: 'any',
  tolerates: { untypedSets: true, anyMediaType: true },
  discovery: { places: ['sse', 'sse-suffix', 'sse-host', 'risc'], resourceMetadata: true },
  serves: { deliveryMethods: 'either', ignoredMembers: ['aud', 'iss'], pollAliases: true },
})
