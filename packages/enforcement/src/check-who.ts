import { checkOptions } from '@drawbridge/core'
import {
  checkSubject,
  principalKey,
  subjectOf,
  type ComplexSubjectMembers,
  type IssSubSubject,
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
  const issuer = who.issuer ?? issuerOf(who.subject) ?? inheritedIssuer(who)
  const isReadable = isNamed(issuer) && !Number.isNaN(beganOf(who)) && isDescribed(who)
  return isReadable && (who.delegator === undefined || isDelegated(who)) ? issuer : refuse(who)
}

/** Judges what most sessions leave out. */
const isDescribed = ({ kind, acr, grants, endsWith }: Who): boolean =>
  (kind === undefined || sessionKinds.includes(kind)) &&
  (acr === undefined || typeof acr === 'string') &&
  (grants === undefined || Array.isArray(grants)) &&
  (endsWith === undefined || endsWith === 'session' || endsWith === 'grant')

/** Judges those on whose behalf somebody acts, and makes no object: it is asked every time. */
function isDelegated(who: Who): boolean {
  let place = 0
  for (let one = who.delegator; one !== undefined; one = one.delegator) {
    if (++place > longestChain || !isSound(one)) return false
    for (let below: Who | undefined = who; below && below !== one; below = below.delegator) {
      if (areAlike(below.subject, one.subject) && keyOf(below) === keyOf(one)) return false
    }
  }
  return true
}

function isSound(one: Who): boolean {
  if (!isObject(one) || Number.isNaN(beganOf(one))) return false
  if (!isDescribed(one) || (one.issuer !== undefined && !isNamed(one.issuer))) return false
  try {
    checkSubject(one.subject)
    return true
  } catch {
    return false
  }
}

/** To make keys of two would cost more than all the rest: most differ in the first of their names. */
function areAlike(one: SubjectInput, other: SubjectInput): boolean {
  if (isSimple(one) || isSimple(other)) return !areOfTwo(one, other)
  const [members, others] = [one as ComplexSubjectMembers, other as ComplexSubjectMembers]
  const { user } = members
  return !user || !others.user || !areOfTwo(user, others.user)
}

/** Tells two names apart that are written differently. */
const areOfTwo = (one: SubjectInput, other: SubjectInput): boolean =>
  one.format !== other.format ||
  (one.format === 'iss_sub' && (one as IssSubSubject).sub !== (other as IssSubSubject).sub)

const isSimple = ({ format }: SubjectInput): boolean => format !== undefined && format !== 'complex'

const keyOf = ({ subject }: Who): string => principalKey(subjectOf(subject))

/** Names all mistakes at once. */
function refuse(who: Who): never {
  const { check, done } = checkOptions('check')
  for (const mistake of mistakesOf(who)) check(false, mistake)
  done()
  throw new Error('refused without a reason')
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** What the delegators of a session are called, in messages. */
export const nameOf = (place: number): string => `who${'.delegator'.repeat(place)}`

function mistakesOf(who: Who): readonly string[] {
  if (!isObject(who)) return ['"who" must be an object']
  const chain = [who, ...delegatorsOf(who)]
  const mistakes = chain.flatMap((one, place) => mistakesIn(one, nameOf(place), place > 0))
  if (mistakes.length > 0) return mistakes
  const keys = chain.map(keyOf)
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
  if (!isObject(who)) return [`"${name}" must be who delegated`]
  check(!Number.isNaN(beganOf(who)), `"${name}.began" must be a valid Date`)
  const { acr, grants, kind, endsWith, issuer } = who
  try {
    checkSubject(who.subject, `${name}.subject`)
    check(
      isNamed(issuer ?? issuerOf(who.subject) ?? inheritedIssuer(who)) ||
        (isDelegator && issuer === undefined),
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

/** Who logged in the nearest of those on whose behalf somebody acts. */
function inheritedIssuer(who: Who): string | undefined {
  for (const one of delegatorsOf(who)) {
    const issuer = isObject(one) ? (one.issuer ?? issuerIn(one.subject)) : undefined
    if (issuer !== undefined) return issuer
  }
  return undefined
}

const issuerIn = (subject: unknown): string | undefined =>
  isObject(subject) ? issuerOf(subject as SubjectInput) : undefined

/** Who logged somebody in, as far as the name says it. */
export function issuerOf(subject: SubjectInput): string | undefined {
  const user = isSimple(subject) ? subject : (subject as ComplexSubjectMembers).user
  if (user?.format !== 'iss_sub') return undefined
  return (user as { readonly iss?: string }).iss
}
