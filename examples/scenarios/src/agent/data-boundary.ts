// Where the line of the data boundary is, the decision point says; what it means to a session that
// has reached it, the rule here.
import type { Enforcement, Who } from '@drawbridge/enforcement'
import { createDecisionPoint } from '@drawbridge/enforcement/authzen'
import { subIn } from './who.ts'

/** The cause under which the rule takes, for whoever gives back. */
export const boundaryCause = 'data-boundary'

/** A call of a tool that is about to run. */
export interface ToolCall {
  readonly tool: string
  readonly requires: readonly string[]
  /** The file that it is about. */
  readonly path: string
  readonly signal: AbortSignal
}

/** Tells whether a tool may be used on a file. */
export type MayUse = (who: Who, call: ToolCall) => Promise<boolean>

/**
 * Asks the decision point about each call. Who reaches the boundary is refused that call, and can
 * change nothing from then on: whatever it writes might have come from behind the boundary.
 */
export function createDataBoundary(url: string, enforcement: Enforcement): MayUse {
  const decisionPoint = createDecisionPoint({
    url,
    onError: 'deny',
    rule: ({ context }) =>
      context?.['boundary'] === 'payroll'
        ? { effect: 'restrict', terms: { take: ['files:write'] } }
        : undefined,
    cause: boundaryCause,
    allowInsecureHttp: true, // all of this is on loopback
  })
  return async (who, { tool, requires, path, signal }) => {
    const { outcome } = await decisionPoint.check(enforcement, who, {
      requires,
      evaluation: {
        subject: { type: 'agent', id: subIn(who.subject) },
        action: { name: tool },
        resource: { type: 'file', id: path },
      },
      signal,
    })
    return outcome === 'allow'
  }
}
