import type { SetClaims } from '../sets/security-event-token.ts'
import { StreamUpdated } from '../ssf/stream-updated.ts'
import { Verification } from '../ssf/verification.ts'
import { assuranceNamespace } from './claim-tolerances.ts'
import { createProfile } from './create-profile.ts'
import type { Profile } from './profile.ts'
import {
  formatName,
  streamWithoutSubject,
  subjectInEvent,
  twoSubjects,
  unmarkedComplex,
} from './subject-tolerances.ts'
import { draftEventNames } from './tolerance.ts'
import { asDraftSubject, repeatSubject } from './write-rules.ts'

/**
 * The first Implementer's Draft of SSE (2021), whose peers have no `spec_version`: the subject in
 * the event, complex ones without `format`, one stream that has no name, and `sse` in the names of
 * the events about it. `sub_id` is sent too, in the final form.
 */
export const sseId1: Profile = /* @__PURE__ */ createProfile({
  name: 'sse-id1',
  read: [
    draftEventNames,
    assuranceNamespace,
    formatName,
    unmarkedComplex,
    subjectInEvent,
    twoSubjects,
    streamWithoutSubject,
  ],
  write: [repeatSubject(asDraftSubject), draftStreamEvents],
  discovery: { places: ['sse', 'sse-suffix', 'sse-host'] },
  serves: {
    onlyStreamMeant: true,
    unnamedStream: true,
    deliveryMethods: 'draft',
    statusFor: { createStream: 200, deleteStream: 200 },
  },
})

const draftNames: ReadonlyMap<string, string> = new Map(
  [Verification, StreamUpdated].map(({ uri }) => [uri, uri.replace('/ssf/', '/sse/')]),
)

function draftStreamEvents(claims: SetClaims): SetClaims {
  const entries = Object.entries(claims.events)
  if (!entries.some(([type]) => draftNames.has(type))) return claims
  const events = entries.map(([type, payload]) => [draftNames.get(type) ?? type, payload])
  return { ...claims, events: Object.fromEntries(events) as SetClaims['events'] }
}
