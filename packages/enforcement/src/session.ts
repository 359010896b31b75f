import { checkOptions } from '@drawbridge/core'
import { subjectOf, type Canonical, type Subject } from '@drawbridge/schema'
import { beganOf, checkWho, issuerOf, nameOf } from './check-who.ts'
import { delegatorsOf, lineageOf } from './delegation.ts'
import type { SessionKind, Who } from './who.ts'

/** A {@link Who} that was read: what the guard compares with. */
export interface Session {
  readonly subject: Subject
  readonly issuer: string
  /** NumericDate in whole seconds, the tolerance taken off. */
  readonly began: number
  readonly kind: SessionKind
  readonly acr?: string
  /**
   * Those on whose behalf it acts, the nearest first: each under every name that signals about it
   * can reach the session by. Absent where it acts for itself.
   */
  readonly delegators?: readonly DelegatorSession[]
}

/** A delegator, as signals that reach the session by way of it are judged. */
export interface DelegatorSession extends Omit<Session, 'delegators'> {
  /** Which delegator it is: 1 is the nearest. */
  readonly place: number
  /** Whether the session rests on a grant of the delegator, and not on a session. */
  readonly isGrant: boolean
}

/** One of the names under which signals reach a session. */
export type Line = Session & Partial<Pick<DelegatorSession, 'isGrant' | 'place'>>

/** Under what names signals reach a session: its own, and those of its delegators. */
export const linesOf = (session: Session): readonly Line[] =>
  session.delegators ? [session, ...session.delegators] : [session]

/**
 * Reads who makes a request, and on whose behalf.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing
 */
export function readSession(who: Who, toleranceSeconds: number): Session {
  const issuer = checkWho(who)
  const subject = subjectOf(who.subject, 'who.subject')
  const kind = who.kind ?? 'human'
  const own: Session = { subject, issuer, kind, ...restedOn(who, toleranceSeconds) }
  if (who.delegator === undefined) return own
  const issuers = issuersOf(who, issuer)
  const delegators = lineageOf(who, subject).map(
    ({ delegator, place, subject: acting, isGrant }) => ({
      subject: acting,
      issuer: issuers[place] ?? issuer,
      // Rules for agents count for what they have inherited as well.
      kind,
      place,
      isGrant,
      ...restedOn(delegator, toleranceSeconds),
    }),
  )
  return { delegators, ...own }
}

/** Who logged each in: who logged in the one that acts for it, unless something else is said. */
function issuersOf(who: Who, own: string): readonly string[] {
  const issuers = [own]
  for (const { issuer, subject } of delegatorsOf(who)) {
    issuers.push(issuer ?? issuerOf(subject) ?? issuers.at(-1) ?? own)
  }
  return issuers
}

/** The authentication that a session rests on. */
function restedOn(who: Who, toleranceSeconds: number): Pick<Session, 'began' | 'acr'> {
  const tolerance = who.beganIsLocal ? toleranceSeconds : 0
  const began = Math.floor(beganOf(who) / 1000) - tolerance
  return who.acr === undefined ? { began } : { began, acr: who.acr }
}

/** Writes a session's names, and those of its delegators, in the one way that is compared. */
export function canonicalSession(session: Session, canonical: Canonical): Session {
  const written = <One extends Session>(line: One): One => ({
    ...line,
    issuer: canonical.issuer(line.issuer),
    subject: canonical.subject(line.subject),
  })
  const own = written(session)
  return own.delegators ? { ...own, delegators: own.delegators.map(written) } : own
}

/** Further ahead than this no clock is, in seconds: it is another unit. */
const longestSkewSeconds = 86_400

/**
 * Refuses a session that begins in the future, as one does whose seconds were taken for
 * milliseconds: no cut would ever reach it.
 *
 * @param session Or a delegator of it
 * @param now NumericDate, seconds
 * @throws OptionsError `ERR_INVALID_ARG_VALUE`
 */
export function checkBegan(session: Session, now: number): void {
  const { check, done } = checkOptions('check')
  // A delegator has one beginning, by whatever name it is reached.
  const all = new Map(linesOf(session).map(({ began, place = 0 }) => [place, began]))
  for (const [place, began] of all) {
    const isPast = began <= now + longestSkewSeconds
    check(isPast, `"${nameOf(place)}.began" must not be in the future`)
  }
  done()
}
