import { checkOptions } from '@drawbridge/core'
import {
  checkSubject,
  principalKey,
  subjectOf,
  type ComplexSubjectMembers,
  type SubjectInput,
} from '@drawbridge/schema'
import { delegatorsOf, longestChain } from './delegation.ts'
import { sessionKinds, type Who } from './who.ts'

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
  } catch {
    return refuse(who)
  }
  const issuer = who.issuer ?? issuerOf(who.subject)
  const isSound = isNamed(issuer) && !Number.isNaN(beganOf(who)) && isDescribed(who)
  return isSound && (who.delegator === undefined || isDelegated(who)) ? issuer : refuse(who)
}

/** Judges what most sessions leave out. */
const isDescribed = ({ kind, acr, grants, endsWith }: Who): boolean =>
  (kind === undefined || sessionKinds.includes(kind)) &&
  (acr === undefined || typeof acr === 'string') &&
  (grants === undefined || Array.isArray(grants)) &&
  (endsWith === undefined || endsWith === 'session' || endsWith === 'grant')

const isDelegated = (who: Who): boolean => mistakesOf(who).length === 0

/** Names all mistakes at once. */
function refuse(who: Who): never {
  const { check, done } = checkOptions('check')
  for (const mistake of mistakesOf(who)) check(false, mistake)
  done()
  throw new Error('refused without a reason')
}

/** What the delegators of a session are called, in messages. */
export const nameOf = (place: number): string => `who${'.delegator'.repeat(place)}`

function mistakesOf(who: Who): readonly string[] {
  const chain = [who, ...delegatorsOf(who)]
  const mistakes = chain.flatMap((one, place) => mistakesIn(one, nameOf(place), place > 0))
  if (mistakes.length > 0) return mistakes
  const keys = chain.map(({ subject }) => principalKey(subjectOf(subject)))
  const again = keys.findIndex((key, place) => keys.indexOf(key) < place)
  if (again > 0) {
    return [`"${nameOf(again)}.subject" must not come twice: nobody acts on behalf of themselves`]
  }
  return chain.length - 1 > longestChain
    ? [`"who.delegator" must not have more than ${longestChain} delegators in a row`]
    : []
}

function mistakesIn(who: Who, name: string, isDelegator: boolean): readonly string[] {
  const mistakes: string[] = []
  const check = (holds: boolean, mistake: string): void => void (holds || mistakes.push(mistake))
  if (typeof who !== 'object' || who === null) return [`"${name}" must be who delegated`]
  check(!Number.isNaN(beganOf(who)), `"${name}.began" must be a valid Date`)
  const { acr, grants, kind, endsWith, issuer } = who
  try {
    checkSubject(who.subject, `${name}.subject`)
    check(
      isNamed(issuer ?? issuerOf(who.subject)) || (isDelegator && issuer === undefined),
      `"${name}.issuer" must say who logged the user in, unless "${name}.subject.user" is an iss_sub`,
    )
  } catch (error) {
    mistakes.push((error as Error).message)
  }
  check(
    kind === undefined || sessionKinds.includes(kind),
    `"${name}.kind" must be one of ${sessionKinds.join(', ')}`,
  )
  check(acr === undefined || typeof acr === 'string', `"${name}.acr" must be a text`)
  check(
    grants === undefined || Array.isArray(grants),
    `"${name}.grants" must be an array of grants`,
  )
  check(
    endsWith === undefined || endsWith === 'session' || endsWith === 'grant',
    `"${name}.endsWith" must be session or grant`,
  )
  return mistakes
}

/** Milliseconds; NaN for what is no valid Date. */
export function beganOf({ began }: Who): number {
  const ms = typeof began?.getTime === 'function' ? began.getTime() : Number.NaN
  return Number.isFinite(ms) ? ms : Number.NaN
}

const isNamed = (issuer: unknown): issuer is string => typeof issuer === 'string' && issuer !== ''

/** Who logged somebody in, as far as the name says it. */
export function issuerOf(subject: SubjectInput): string | undefined {
  const isSimple = subject.format !== undefined && subject.format !== 'complex'
  const user = isSimple ? subject : (subject as ComplexSubjectMembers).user
  if (user?.format !== 'iss_sub') return undefined
  return (user as { readonly iss?: string }).iss
}
