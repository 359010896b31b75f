import { checkOptions } from '@drawbridge/core'
import {
  isComplex,
  subjectKey,
  subjectKeys,
  subjectOf,
  type Subject,
  type SubjectInput,
} from '@drawbridge/schema'

/**
 * Who makes a request, as the application knows it from its session or from the claims of a token.
 * Make a new one where something changes: what was found out about the object is kept with it.
 */
export interface Who {
  /**
   * Everything that is known: `{ user, session, device, tenant, … }`. A signal about a member that
   * is absent here does not match.
   */
  readonly subject: SubjectInput
  /**
   * The root authentication the session rests on: `auth_time`, else the start of the refresh family
   * or grant, else the `iat` of the first token. Never the moment a cookie was set, and refreshing
   * does not move it.
   */
  readonly began: Date
  /**
   * Who logged the user in. Only that Transmitter's signals touch the session. Default: the `iss`
   * of a subject, or of its `user`, in the format `iss_sub`.
   */
  readonly issuer?: string
  /**
   * True where `began` is this machine's clock, and not the issuer's word: then `toleranceSeconds`
   * after T still count as before. Default: false.
   */
  readonly beganIsLocal?: boolean
}

/** A {@link Who} that was read: what the guard compares with. */
export interface Session {
  readonly subject: Subject
  /** What the entries that may match are looked up by. */
  readonly keys: readonly string[]
  readonly issuer: string
  /** NumericDate in whole seconds, the tolerance taken off. */
  readonly began: number
  /** The key of the session's own id, where it is known. */
  readonly id: string | undefined
}

/**
 * Reads who makes a request.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing: a session
 *   that no signal could ever reach must not pass for one that no signal has reached
 */
export function readSession(who: Who, toleranceSeconds: number): Session {
  const checks = checkOptions('check')
  const began = typeof who.began?.getTime === 'function' ? who.began.getTime() : Number.NaN
  checks.check(Number.isFinite(began), '"who.began" must be a valid Date')
  const subject = readSubject(who, (sentence) => checks.check(false, sentence))
  const issuer = who.issuer ?? (subject && issuerOf(subject))
  checks.check(
    subject === undefined || (typeof issuer === 'string' && issuer !== ''),
    '"who.issuer" must say who logged the user in, unless "who.subject.user" is an iss_sub',
  )
  checks.done()
  const known = subject as Subject
  const session = isComplex(known) ? known.session : undefined
  return {
    subject: known,
    keys: subjectKeys(known),
    issuer: issuer as string,
    began: Math.floor(began / 1000) - (who.beganIsLocal ? toleranceSeconds : 0),
    id: session && subjectKey(session),
  }
}

function readSubject(who: Who, mistake: (sentence: string) => void): Subject | undefined {
  try {
    return subjectOf(who.subject, 'who.subject')
  } catch (error) {
    mistake((error as Error).message)
    return undefined
  }
}

function issuerOf(subject: Subject): string | undefined {
  const user = isComplex(subject) ? subject.user : subject
  if (user?.format !== 'iss_sub') return undefined
  return (user as { readonly iss?: string }).iss
}
