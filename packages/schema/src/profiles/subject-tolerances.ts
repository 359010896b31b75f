import { canonicalJson, isObject } from '../json.ts'
import type { Notice } from '../sets/notice.ts'
import { inEvents, type Claims, type Tolerance } from './tolerance.ts'

/**
 * Makes a tolerance for Subject Identifiers, in `sub_id` and where drafts had the subject: in the
 * event. Each member of a complex one is looked at too.
 */
function inSubjects(notice: Notice, mend: (identifier: Claims) => Claims | undefined): Tolerance {
  const mendSubject = (subject: unknown): Claims | undefined => {
    if (!isObject(subject)) return undefined
    const whole = mend(subject)
    if (whole) return whole
    let changed = false
    const members = Object.entries(subject).map(([name, member]): [string, unknown] => {
      const better = isObject(member) ? mend(member) : undefined
      changed ||= better !== undefined
      return [name, better ?? member]
    })
    return changed ? Object.fromEntries(members) : undefined
  }
  const inEvent = inEvents(notice, (payload) => {
    const subject = mendSubject(payload['subject'])
    return subject && { ...payload, subject }
  })
  return {
    ...notice,
    apply: (claims, context) => {
      const sub_id = mendSubject(claims['sub_id'])
      const mended = sub_id && { ...claims, sub_id }
      return inEvent.apply(mended ?? claims, context) ?? mended
    },
  }
}

function rename(value: Claims, from: string, to: string): Claims {
  const { [from]: moved, ...rest } = value
  return { ...rest, [to]: moved }
}

/** `subject_type` is what `format` was called. */
export const subjectType: Tolerance = inSubjects(
  { name: 'subject-type', message: '"subject_type" was read as "format"' },
  (identifier) =>
    typeof identifier['subject_type'] === 'string' && identifier['format'] === undefined
      ? rename(identifier, 'subject_type', 'format')
      : undefined,
)

const draftFormats: ReadonlyMap<unknown, string> = new Map([
  ['iss-sub', 'iss_sub'],
  ['jwt-id', 'jwt_id'],
  ['saml-assertion-id', 'saml_assertion_id'],
  ['phone', 'phone_number'],
  ['ips', 'ip-addresses'],
])

/** Members that the drafts' formats had under other names. */
const draftMembers: ReadonlyMap<string, string> = new Map([
  ['phone', 'phone_number'],
  ['ips', 'ip-addresses'],
])

/** The names that drafts had for Identifier Formats, and for their members. */
export const formatName: Tolerance = inSubjects(
  { name: 'draft-format', message: 'the subject has the format name of a draft' },
  (identifier) => {
    const { format } = identifier
    const final = draftFormats.get(format)
    if (final === undefined) return undefined
    const member = draftMembers.get(String(format))
    const rest =
      member !== undefined && identifier[member] === undefined && identifier[String(format)]
        ? rename(identifier, String(format), member)
        : identifier
    return { ...rest, format: final }
  },
)

const phoneSpaces = inSubjects(
  { name: 'phone-spaces', message: 'the telephone number was read without its spaces' },
  (identifier) => {
    const { format, phone_number: number } = identifier
    if (format !== 'phone_number' || typeof number !== 'string' || !/[\s().-]/.test(number)) {
      return undefined
    }
    return { ...identifier, phone_number: number.replace(/[\s().-]/g, '') }
  },
)

/** One principal by whatever claims of an ID Token are there. */
export const idTokenClaims: Tolerance = inSubjects(
  { name: 'id-token-claims', message: 'the claims of an ID Token were read as the subject' },
  ({ format, email, phone_number, iss, sub }) => {
    if (format !== 'id_token_claims') return undefined
    const names: Claims[] = []
    if (iss !== undefined && sub !== undefined) names.push({ format: 'iss_sub', iss, sub })
    if (email !== undefined) names.push({ format: 'email', email })
    if (phone_number !== undefined) names.push({ format: 'phone_number', phone_number })
    const [only, ...others] = names
    return others.length > 0 ? { format: 'aliases', identifiers: names } : only
  },
)

const isUnmarkedComplex = (subject: unknown): subject is Claims => {
  if (!isObject(subject) || subject['format'] !== undefined) return false
  const members = Object.values(subject)
  return (
    members.length > 0 &&
    members.every((member) => isObject(member) && typeof member['format'] === 'string')
  )
}

/** Drafts did not mark a complex subject. */
export const unmarkedComplex: Tolerance = inSubjects(
  {
    name: 'complex-without-format',
    message: 'the members of the subject were read as a complex one',
  },
  (subject) => (isUnmarkedComplex(subject) ? { ...subject, format: 'complex' } : undefined),
)

/** Drafts had the subject in the event. Where it is in both places, `sub_id` counts. */
export const subjectInEvent: Tolerance = {
  name: 'subject-in-event',
  message: '"subject" in the event was read as "sub_id"',
  apply: (claims) => {
    if (claims['sub_id'] !== undefined || !isObject(claims['events'])) return undefined
    const found = Object.values(claims['events']).find(
      (payload) => isObject(payload) && isObject(payload['subject']),
    ) as Claims | undefined
    return found && withoutSubjects({ ...claims, sub_id: found['subject'] })
  },
}

/** Where the event and `sub_id` do not say the same, `sub_id` counts. */
export const twoSubjects: Tolerance = {
  name: 'two-subjects',
  message: '"subject" in the event is not the one in "sub_id"; "sub_id" was taken',
  apply: (claims) => {
    const { sub_id, events } = claims
    if (!isObject(sub_id) || !isObject(events)) return undefined
    const differs = Object.values(events).some(
      (payload) =>
        isObject(payload) &&
        isObject(payload['subject']) &&
        canonicalJson(payload['subject']) !== canonicalJson(sub_id),
    )
    return differs ? withoutSubjects(claims) : undefined
  },
}

function withoutSubjects(claims: Claims): Claims {
  const entries = Object.entries(claims['events'] as Claims).map(([type, payload]) => {
    if (!isObject(payload)) return [type, payload]
    const { subject: _, ...rest } = payload
    return [type, rest]
  })
  return { ...claims, events: Object.fromEntries(entries) as Claims }
}

const protocolEvents = [
  'https://schemas.openid.net/secevent/ssf/event-type/verification',
  'https://schemas.openid.net/secevent/ssf/event-type/stream-updated',
]

/** The first drafts knew one stream, and did not name it. */
export const streamWithoutSubject: Tolerance = {
  name: 'stream-without-subject',
  message: 'the event about the stream has no subject; the stream it came over was taken',
  apply: (claims, { streamId }) => {
    const { sub_id, events } = claims
    if (sub_id !== undefined || streamId === undefined || !isObject(events)) return undefined
    if (!Object.keys(events).every((type) => protocolEvents.includes(type))) return undefined
    return { ...claims, sub_id: { format: 'opaque', id: streamId } }
  },
}

/** How drafts wrote subjects, in the order in which they are put right. */
export const subjectTolerances: readonly Tolerance[] = [
  subjectType,
  formatName,
  phoneSpaces,
  idTokenClaims,
  unmarkedComplex,
  subjectInEvent,
  twoSubjects,
  streamWithoutSubject,
]
