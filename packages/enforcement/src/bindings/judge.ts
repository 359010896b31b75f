import { checkOptions } from '@drawbridge/core'
import { isScopeToken } from '../effect.ts'
import type { Enforcement } from '../enforcement.ts'
import type { AccessDenied } from '../guard/access-decision.ts'
import type { Identify } from './identify.ts'

/** What a guard asks of the requests before it. */
export interface GuardOptions<Req> {
  /**
   * The grants that a request needs: a list for one route, or a function for one guard before all
   * routes. Default, and where the function returns `undefined`: nobody has said, and a session
   * that was restricted is refused.
   */
  readonly requires?: readonly string[] | ((request: Req) => readonly string[] | undefined)
}

/** Tells what is in the way of a request: `undefined` when it may go on. */
export type Judge<Req> = (request: Req) => Promise<AccessDenied | undefined>

/**
 * Makes the judgement that all bindings share.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function createJudge<Req>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  options: GuardOptions<Req>,
): Judge<Req> {
  checkGuard(enforcement, identify, options)
  const { requires } = options
  return async (request) => {
    const who = await identify(request)
    if (!who) return undefined
    const grants = typeof requires === 'function' ? requires(request) : requires
    const decision = enforcement.check(who, grants && { requires: grants })
    return decision.outcome === 'allow' ? undefined : decision
  }
}

/** A misspelt option would let through what it was to stop. */
function checkGuard<Req>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  options: GuardOptions<Req>,
): void {
  const { check, known, done } = checkOptions('guard')
  const requires: unknown = options?.requires
  check(
    typeof enforcement?.check === 'function',
    '"enforcement" must be what createEnforcement(options) returns',
  )
  check(typeof identify === 'function', '"identify" must be a function of the request')
  known(options ?? {}, ['requires'])
  check(
    requires === undefined || typeof requires === 'function' || isListOfGrants(requires),
    '"requires" must be an array of grants, or a function of the request that returns one',
  )
  done()
}

const isListOfGrants = (value: unknown): boolean =>
  Array.isArray(value) && value.every((grant) => isScopeToken(grant))
