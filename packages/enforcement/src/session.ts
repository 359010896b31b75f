import { checkOptions } from '@drawbridge/core'
import {
  checkSubject,
  subjectOf,
  type ComplexSubjectMembers,
  type Subject,
  type SubjectInput,
} from '@drawbridge/schema'

/** What kind of session it is: a rule can tell them apart. */
export type SessionKind = 'human' | 'service' | 'agent' | 'apiKey'

/** Every {@link SessionKind}. */
export const sessionKinds: readonly SessionKind[] = ['human', 'service', 'agent', 'apiKey']

/** Who makes a request, as the application knows it from its session or from the claims of a token. */
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
  /** Default: `human`. */
  readonly kind?: SessionKind
  /**
   * The authentication context class of the root authentication. Default: none, which satisfies no
   * signal that asks for one.
   */
  readonly acr?: string
  /**
   * What the session was granted: its scopes. A request that requires another grant is refused.
   * Default: whatever a request requires was granted, unless a signal took it.
   */
  readonly grants?: readonly string[]
}

/** A {@link Who} that was read: what the guard compares with. */
export interface Session {
  readonly subject: Subject
  readonly issuer: string
  /** NumericDate in whole seconds, the tolerance taken off. */
  readonly began: number
  readonly kind: SessionKind
  readonly acr?: string
}

/**
 * Reads who makes a request.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing
 */
export function readSession(who: Who, toleranceSeconds: number): Session {
  const issuer = checkWho(who)
  const tolerance = who.beganIsLocal ? toleranceSeconds : 0
  const began = Math.floor(beganOf(who) / 1000) - tolerance
  const { kind = 'human', acr } = who
  const subject = subjectOf(who.subject, 'who.subject')
  return { subject, issuer, began, kind, ...(acr !== undefined && { acr }) }
}

/** Further ahead than this no clock is, in seconds: it is another unit. */
const longestSkewSeconds = 86_400

/**
 * Refuses a session that begins in the future, as one does whose seconds were taken for
 * milliseconds: no cut would ever reach it.
 *
 * @param began NumericDate, seconds
 * @param now NumericDate, seconds
 * @throws OptionsError `ERR_INVALID_ARG_VALUE`
 */
export function checkBegan(began: number, now: number): void {
  const { check, done } = checkOptions('check')
  check(began <= now + longestSkewSeconds, '"who.began" must not be in the future')
  done()
}

/**
 * Judges who makes a request, and returns the issuer. Of most sessions nothing else is asked: it
 * makes no object.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing: a session
 *   that no signal could ever reach must not pass for one that no signal has reached
 */
export function checkWho(who: Who): string {
  try {
    checkSubject(who.subject, 'who.subject')
  } catch (error) {
    return refuse(who, error as Error)
  }
  const issuer = who.issuer ?? issuerOf(who.subject)
  const isSound = isNamed(issuer) && !Number.isNaN(beganOf(who)) && isDescribed(who)
  return isSound ? issuer : refuse(who, undefined, issuer)
}

/** Judges what most sessions leave out. */
const isDescribed = ({ kind, acr, grants }: Who): boolean =>
  (kind === undefined || sessionKinds.includes(kind)) &&
  (acr === undefined || typeof acr === 'string') &&
  (grants === undefined || Array.isArray(grants))

/** Names all mistakes at once; without one, nothing of it is made. */
function refuse(who: Who, subjectError: Error | undefined, issuer?: unknown): never {
  const { check, done } = checkOptions('check')
  check(!Number.isNaN(beganOf(who)), '"who.began" must be a valid Date')
  if (subjectError) check(false, subjectError.message)
  check(
    subjectError !== undefined || isNamed(issuer),
    '"who.issuer" must say who logged the user in, unless "who.subject.user" is an iss_sub',
  )
  check(
    who.kind === undefined || sessionKinds.includes(who.kind),
    `"who.kind" must be one of ${sessionKinds.join(', ')}`,
  )
  check(who.acr === undefined || typeof who.acr === 'string', '"who.acr" must be a text')
  check(
    who.grants === undefined || Array.isArray(who.grants),
    '"who.grants" must be an array of grants',
  )
  done()
  throw new Error('refused without a reason')
}

/** Milliseconds; NaN for what is no valid Date. */
function beganOf({ began }: Who): number {
  const ms = typeof began?.getTime === 'function' ? began.getTime() : Number.NaN
  return Number.isFinite(ms) ? ms : Number.NaN
}

const isNamed = (issuer: unknown): issuer is string => typeof issuer === 'string' && issuer !== ''

function issuerOf(subject: SubjectInput): string | undefined {
  const isSimple = subject.format !== undefined && subject.format !== 'complex'
  const user = isSimple ? subject : (subject as ComplexSubjectMembers).user
  if (user?.format !== 'iss_sub') return undefined
  return (user as { readonly iss?: string }).iss
}
