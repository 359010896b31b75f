import { createProfile } from './create-profile.ts'
import type { Profile } from './profile.ts'
import {
  formatName,
  idTokenClaims,
  streamWithoutSubject,
  subjectInEvent,
  subjectType,
  twoSubjects,
} from './subject-tolerances.ts'
import { draftEventNames } from './tolerance.ts'

/**
 * Google Cross-Account Protection, which is a Transmitter: the subjects and the verification of
 * RISC of 2018. It keeps working when Google writes the final form. It writes the 1.0 form.
 */
export const google: Profile = /* @__PURE__ */ createProfile({
  name: 'google',
  discovery: { places: ['risc'], issuerSlashCounts: false },
  read: [
    draftEventNames,
    subjectType,
    formatName,
    idTokenClaims,
    subjectInEvent,
    twoSubjects,
    streamWithoutSubject,
  ],
})
