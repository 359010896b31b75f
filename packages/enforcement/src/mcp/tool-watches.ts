import type { EnforcementEvents } from '../enforcement-events.ts'
import { accessOf, type Caller, type McpEnforcement } from './caller.ts'
import { mayUse, usableTools, type ToolAccess } from './tool-access.ts'

/** Watches which tools callers may use, for those who listen. */
export interface ToolWatches {
  /** Calls back each time it has changed. Returns the function that ends the watch. */
  watch(caller: Caller, changed: () => void): () => void
  /** Watches no more. */
  close(): void
}

type Lift = EnforcementEvents['signal:applied' | 'signal:followed']

/**
 * Makes the watches. What is taken is heard from the enforcement's own watch of that session; what
 * is given back, only those look at from whom something was taken. So a signal costs what it
 * concerns, not what listens.
 */
export function createToolWatches(enforcement: McpEnforcement): ToolWatches {
  const deprived = new Set<() => void>()
  const lifted = (signal: Lift): void => {
    if (signal.lifted) for (const look of deprived) look()
  }
  enforcement.events.on('signal:applied', lifted)
  enforcement.events.on('signal:followed', lifted)

  return {
    watch: (caller, changed) => {
      let round = new AbortController()
      let seen: string | undefined
      const look = (): void => {
        // One signal may take several lists, and the first of them may have ended this watch.
        if (round.signal.aborted) return
        round.abort()
        round = new AbortController()
        const access = accessOf(enforcement, caller)
        if (access.state.taken.length > 0) deprived.add(look)
        else deprived.delete(look)
        for (const signal of signalsOf(enforcement, caller, { access, until: round.signal })) {
          signal.addEventListener('abort', look, { once: true })
        }
        const now = JSON.stringify(usableTools(caller.needs, access))
        const isFirst = seen === undefined
        if (now === seen) return
        seen = now
        if (!isFirst) changed()
      }
      look()
      return () => {
        round.abort()
        deprived.delete(look)
      }
    },
    close: () => {
      enforcement.events.off('signal:applied', lifted)
      enforcement.events.off('signal:followed', lifted)
    },
  }
}

/** One signal for each list of grants that some tool needs and the caller has. */
function signalsOf(
  enforcement: McpEnforcement,
  caller: Caller,
  { access, until }: { access: ToolAccess; until: AbortSignal },
): readonly AbortSignal[] {
  const lists = new Map([...caller.needs.values()].map((list) => [JSON.stringify(list), list]))
  return [...lists.values()]
    .filter((requires) => mayUse(requires, access))
    .map((requires) => enforcement.signal(caller.who, { ...(requires && { requires }), until }))
}
