import type { Explanation } from '../guard/explanation.ts'
import { isTaken } from '../guard/guard.ts'

/** The grants that each tool needs, by its name; undefined where it declares nothing. */
export type ToolNeeds = ReadonlyMap<string, readonly string[] | undefined>

/** What decides about a tool besides what it needs. */
export interface ToolAccess {
  /** What the session was granted; undefined: whatever a tool needs. */
  readonly granted: readonly string[] | undefined
  /** The state of the session. */
  readonly state: Explanation
}

/**
 * Tells whether a session may use what needs these grants. It is the guard's own answer, without
 * counting as a request: what is only listed was not asked for.
 *
 * @param requires Undefined: nobody has said, and a session that was restricted may not
 */
export function mayUse(requires: readonly string[] | undefined, access: ToolAccess): boolean {
  const { granted, state } = access
  const { synchronised, effect, grants } = state
  if (!synchronised || isShutBy(effect)) return false
  if (!requires) return grants === undefined
  return requires.every((grant) => !isTaken(grant, grants) && (granted?.includes(grant) ?? true))
}

/**
 * Tells whether a token with more scopes would open what this one does not. Where a signal has
 * taken the grant it would not, and to ask for it would go in circles.
 */
export const wouldScopeHelp = (
  requires: readonly string[] | undefined,
  { granted, state }: ToolAccess,
): boolean =>
  !mayUse(requires, { granted, state }) && mayUse(requires, { granted: undefined, state })

/** The tools that a session may use, in the order in which they were declared. */
export const usableTools = (needs: ToolNeeds, access: ToolAccess): readonly string[] =>
  [...needs].filter(([, requires]) => mayUse(requires, access)).map(([name]) => name)

const isShutBy = (effect: Explanation['effect']): boolean =>
  effect === 'terminate' || effect === 'suspend' || effect === 'reauthenticate'
