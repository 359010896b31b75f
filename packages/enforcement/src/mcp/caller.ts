import type { Enforcement } from '../enforcement.ts'
import type { Who } from '../who.ts'
import type { ToolAccess } from './tool-access.ts'

/** The parts of the enforcement that the guard of an MCP server uses. */
export type McpEnforcement = Pick<Enforcement, 'check' | 'signal' | 'explain' | 'events'>

/** One request, from its check to the end of its answer. */
export interface Caller {
  readonly who: Who
  /** What the tools need that the server of this request has; filled while it is made. */
  readonly needs: Map<string, readonly string[] | undefined>
  /** Whether its answer is a stream of changes, which goes on without another request. */
  listens: boolean
}

/** What a caller may use as of now. */
export const accessOf = (enforcement: McpEnforcement, { who }: Caller): ToolAccess => ({
  granted: who.grants,
  state: enforcement.explain(who),
})
