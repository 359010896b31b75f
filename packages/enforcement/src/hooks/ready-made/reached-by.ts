import { fold } from '../../fold.ts'
import { readSession, type Who } from '../../session.ts'
import type { HookCall } from '../hooks.ts'

/**
 * Tells whether what a hook carries out reaches a session, by the judgement of the guard: same
 * issuer, every member of the signal's subject is the session's, and a cut reaches nothing that
 * began later. For functions like `tokensOf` and `clientsOf`. What a call does not tell is not
 * judged: mandates beyond the default, other names of the subject, rules for some kinds of
 * sessions.
 *
 * @example
 *   const tokensOf = async (call: HookCall) =>
 *     (await grantsOf(call.subject)).filter((grant) => reachedBy(call, grant.who))
 *
 * @param toleranceSeconds The option of `createEnforcement`
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` when `who` cannot be compared with signals
 */
export function reachedBy(call: HookCall, who: Who, toleranceSeconds = 30): boolean {
  const session = readSession(who, toleranceSeconds)
  return fold([{ ...call, on: call.subject }], session, call.since).taken.length > 0
}
