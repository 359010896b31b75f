import type { Enforcement } from '../enforcement.ts'
import type { AccessDecision } from '../guard/access-decision.ts'
import type { RegisteredSession, SessionStore } from './sessions.ts'

/**
 * Keeps a session in a store and then asks the enforcement, for every store alike. In this order:
 * whoever looks for sessions after a signal finds this one, or this one finds the signal.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE`, and StorageError, as `put` of the store
 */
export async function registerIn(
  store: Pick<SessionStore, 'put' | 'remove'>,
  session: RegisteredSession,
  enforcement: Pick<Enforcement, 'check'>,
): Promise<AccessDecision> {
  await store.put(session)
  // Nothing is requested yet: one that was restricted comes in, with what is left to it.
  const decision = enforcement.check(session, { requires: [] })
  // What is suspended can be given back, and whoever has to authenticate goes on in this session.
  if (decision.outcome !== 'allow' && decision.effect === 'terminate') {
    await store.remove(session.id)
  }
  return decision
}
