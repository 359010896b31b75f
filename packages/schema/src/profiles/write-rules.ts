import { isComplex, type Subject } from '../subjects/subject.ts'
import type { SetClaims } from '../sets/security-event-token.ts'
import type { WriteRule } from './create-profile.ts'
import { isOfCaepOrRisc } from './families.ts'

/** Changes the event objects of the types that a condition holds for. */
function changeEvents(
  claims: SetClaims,
  meant: (type: string) => boolean,
  change: (payload: object) => object,
): SetClaims {
  const entries = Object.entries(claims.events)
  if (!entries.some(([type]) => meant(type))) return claims
  const changed = entries.map(([type, payload]): [string, object] => [
    type,
    meant(type) ? change(payload) : payload,
  ])
  return { ...claims, events: Object.fromEntries(changed) }
}

/**
 * Makes a rule that repeats the subject in events of CAEP and RISC, where drafts had it. `sub_id`
 * stays, and other events have it alone.
 *
 * @param form How the subject is written in the event. Default: as in `sub_id`
 * @see OpenID SSF 1.0, "Subject Members in SSF Events"
 */
export const repeatSubject =
  (form: (subject: Subject) => object = (subject) => subject): WriteRule =>
  (claims) => {
    const subject = form(claims.sub_id)
    return changeEvents(claims, isOfCaepOrRisc, (payload) => ({ ...payload, subject }))
  }

/** Leaves out what an event of CAEP or RISC has beside `sub_id`. */
export const subjectOnce: WriteRule = (claims) =>
  changeEvents(claims, isOfCaepOrRisc, (payload) => {
    const rest: Record<string, unknown> = { ...payload }
    delete rest['subject']
    return rest
  })

const draftFormats: Readonly<Record<string, string>> = {
  jwt_id: 'jwt-id',
  saml_assertion_id: 'saml-assertion-id',
}

/** A subject as the first draft of SSE wrote it: complex ones have no `format`. */
export function asDraftSubject(subject: Subject): object {
  if (!isComplex(subject)) return withDraftFormat(subject)
  const { format: _, ...members } = subject
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, withDraftFormat(member)]),
  )
}

const withDraftFormat = (identifier: object): object => {
  const { format } = identifier as { readonly format?: string }
  const draft = Object.hasOwn(draftFormats, format ?? '') ? draftFormats[format ?? ''] : undefined
  return draft === undefined ? identifier : { ...identifier, format: draft }
}
