import { isComplex, matches, subjectOf, type Subject, type SubjectInput } from '@drawbridge/schema'
import { checkWho } from './check-who.ts'
import {
  actorIn,
  complexOf,
  delegatorsOf,
  lineageOf,
  membersOf,
  withoutSession,
  type Members,
} from './delegation.ts'
import type { Who } from './who.ts'

/**
 * What stays the same of a session however many tokens it is given: its user, who acts for the user
 * (by `actor`, or `application` where the agent has no other name), and the task where that is
 * known. What is taken from it is taken from a fresh token as well, and never from those on whose
 * behalf it acts: where nothing else tells it from them, it is all that the session is called.
 *
 * @example
 *   await enforcement.take({ on: agentKey(who), cause: 'runaway', effect: 'suspend' })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` that names everything that is missing
 */
export function agentKey(who: Who): SubjectInput {
  checkWho(who)
  const own = subjectOf(who.subject)
  const last = delegatorsOf(who).at(-1)
  const members = membersOf(own)
  const lasting = withoutSession(members)
  if (!last || !who.delegator) return lasting.size > 0 && isComplex(own) ? complexOf(lasting) : own
  const person = personIn(membersOf(subjectOf(last.subject)))
  const key = keyOf(lasting, person)
  return namesOf(who.delegator).some((one) => matches(key, one, 'session')) ? own : key
}

/** Somebody, with the one who acts for them: an agent that has a name has it in every client. */
function keyOf(acting: Members, person: Members): Subject {
  const actor = actorIn(acting)
  const named = acting.has('user')
    ? [...acting].filter(([name]) => name !== 'application')
    : [...acting]
  return complexOf(new Map([...named, ...(actor ? [['actor', actor] as const] : []), ...person]))
}

/** What another login does not change: the user, and of those without one what there is. */
function personIn(members: Members): Members {
  const user = members.get('user')
  if (user) return new Map([['user', user]])
  const lasting = withoutSession(members)
  return lasting.size > 0 ? lasting : members
}

/** Under what names a session is reached. */
function namesOf(who: Who): readonly Subject[] {
  const own = subjectOf(who.subject)
  return [own, ...lineageOf(who, own).map(({ subject }) => subject)]
}
