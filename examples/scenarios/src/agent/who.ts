import { fromClaims, type TokenClaims, type Who } from '@drawbridge/enforcement'
import { isComplex, opaque, subjectMembers, subjectOf, type SubjectInput } from '@drawbridge/schema'

/**
 * Says who makes a request with a token that was exchanged. What the person has consented to for a
 * task rests on the account, and goes on when the person signs out; everything else rests on the
 * session.
 */
export function whoOf(claims: TokenClaims): Who {
  const { task } = claims
  if (typeof task !== 'string') return fromClaims(claims, { endsWith: 'session' })
  return fromClaims(claims, { endsWith: 'grant', subject: { task: opaque(task) } })
}

/** The person on whose behalf somebody acts in the end. */
export const personBehind = (who: Who): Who => (who.delegator ? personBehind(who.delegator) : who)

/** What their issuer calls somebody. */
export function subIn(input: SubjectInput): string {
  const subject = subjectOf(input)
  const user = isComplex(subject) ? subject.user : subject
  return user && 'sub' in user ? String(user.sub) : 'somebody'
}

/** The task that a session is for; undefined where it is for none. */
export function taskOf({ subject: input }: Who): string | undefined {
  const subject = subjectOf(input)
  const members = isComplex(subject) ? subjectMembers(subject) : []
  const task = members.find(([name]) => name === 'task')?.[1]
  return task && 'id' in task ? String(task.id) : undefined
}
