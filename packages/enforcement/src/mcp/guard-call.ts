import type {
  CallToolResult,
  InputRequiredResult,
  ServerContext,
} from '@modelcontextprotocol/server'
import type { CheckOptions } from '../guard/access-decision.ts'
import type { Caller, McpEnforcement } from './caller.ts'

/** What a tool's call ends with. */
export type CallResult = CallToolResult | InputRequiredResult

/** A call that is about to run. */
export interface GuardedCall {
  readonly caller: Caller
  /** The grants that the tool needs; undefined where it declares nothing. */
  readonly requires: readonly string[] | undefined
  readonly context: ServerContext
  /** Runs the tool. The signal of its context aborts when the access ends. */
  run(context: ServerContext): Promise<CallResult>
}

/** What is said to an agent. No peer's text: what stands in a result is read as a prompt. */
export const refusals = {
  denied: 'This session has no access to this tool.',
  ended: 'The access of this session ended while the tool was running.',
  undeclared: 'This session has no access to this.',
  notGranted: 'The session was not granted this.',
} as const

/**
 * Runs a tool, if its caller may use it as of now. When the access ends before the tool does, its
 * signal aborts and the call is answered at once: what the tool returns after that is dropped.
 */
export async function guardCall(
  enforcement: McpEnforcement,
  { caller: { who }, requires, context, run }: GuardedCall,
): Promise<CallResult> {
  const asked: CheckOptions = requires ? { requires } : {}
  if (enforcement.check(who, asked).outcome !== 'allow') return refusal(refusals.denied)
  const over = new AbortController()
  const ended = enforcement.signal(who, { ...asked, until: over.signal })
  const { mcpReq } = context
  const signal = AbortSignal.any([mcpReq.signal, ended])
  try {
    const running = run({ ...context, mcpReq: { ...mcpReq, signal } })
    const result = await Promise.race([running, whenAborted(ended)])
    return result === 'aborted' ? refusal(refusals.ended) : result
  } finally {
    over.abort()
  }
}

const refusal = (text: string): CallToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
})

function whenAborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    const aborted = (): void => resolve('aborted')
    if (signal.aborted) aborted()
    else signal.addEventListener('abort', aborted, { once: true })
  })
}
