import {
  createCanonical,
  isComplex,
  matches,
  subjectKeys,
  subjectMembers,
  subjectOf,
  type IssuerAliases,
  type Subject,
} from '@drawbridge/schema'
import { lineageOf } from '../delegation.ts'
import type { RegisteredSession } from './sessions.ts'

/** How a store finds sessions: by keys that are compared as texts, and then by the one matcher. */
export interface SessionKeys {
  /** What a session is known as: by itself, and by those on whose behalf it acts. */
  subjects(session: RegisteredSession): readonly Subject[]
  /** The keys under which a session is filed: one for each name that it or its delegator has. */
  filing(subjects: readonly Subject[]): readonly string[]
  /** Prepares to look for a subject. */
  lookup(subject: Subject): Lookup
}

/** One look for the sessions of a subject. */
export interface Lookup {
  /**
   * One list for each member of the subject. Every session that matches is filed under a key of
   * each list, so that a store looks where the fewest are: for {device, tenant}, by the device.
   */
  readonly keys: readonly (readonly string[])[]
  /** Tells whether a signal about the subject reaches a session, by itself or by its delegator. */
  reaches(subjects: readonly Subject[]): boolean
}

/** Makes the keys. Addresses, numbers and issuers are written one way on both sides. */
export function createSessionKeys(issuerAliases?: IssuerAliases): SessionKeys {
  const canonical = createCanonical(issuerAliases)

  return {
    subjects: (session) => {
      const own = subjectOf(session.subject)
      const inherited = lineageOf(session, own).map(({ subject }) => subject)
      return [own, ...inherited].map(canonical.subject)
    },
    filing: (subjects) => [...new Set(subjects.flatMap(subjectKeys))],
    lookup: (subject) => {
      const wanted = canonical.subject(subject)
      return {
        keys: isComplex(wanted)
          ? subjectMembers(wanted).map(([, member]) => subjectKeys(member))
          : [subjectKeys(wanted)],
        reaches: (subjects) => subjects.some((known) => matches(wanted, known, 'session')),
      }
    },
  }
}
