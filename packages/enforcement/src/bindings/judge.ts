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
export async function judge<Req>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  { requires }: GuardOptions<Req>,
  request: Req,
): Promise<AccessDenied | undefined> {
  const who = await identify(request)
  if (!who) return undefined
  const grants = typeof requires === 'function' ? requires(request) : requires
  const decision = enforcement.check(who, grants && { requires: grants })
  return decision.outcome === 'allow' ? undefined : decision
}
