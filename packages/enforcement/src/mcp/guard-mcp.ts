import { AsyncLocalStorage } from 'node:async_hooks'
import {
  createMcpHandler,
  InMemoryServerEventBus,
  type McpHandlerRequestOptions,
  type McpHttpHandler,
  type McpRequestContext,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import type { Caller, McpEnforcement } from './caller.ts'
import { finished, streamUntil, unauthorized } from './challenge.ts'
import { createGuardServer, type GuardedServer } from './guard-server.ts'
import { createLegacyListener } from './legacy-listener.ts'
import { checkGuardMcp, type GuardMcpOptions } from './options.ts'
import { createToolWatches } from './tool-watches.ts'

/** A guarded MCP server, in the form of what `createMcpHandler` returns. */
export type McpGuard = Pick<McpHttpHandler, 'fetch' | 'notify' | 'close'>

/**
 * Makes an MCP server over Streamable HTTP that answers to the enforcement: for each caller its own
 * list of tools, a check before each call, an end to the call that runs when the access ends, and
 * `list_changed` when a signal changes what there is. Serves clients of 2026-07-28 and, unless
 * `handler.legacy` is `'reject'`, of 2025-11-25.
 *
 * @example
 *   const mcp = guardMcp(enforcement, {
 *     identify: async (request) => fromClaims(await verified(request)),
 *     resourceMetadata: 'https://files.example/.well-known/oauth-protected-resource/mcp',
 *     server: (guard) => {
 *       const server = guard(new McpServer({ name: 'files', version: '1.0.0' }))
 *       server.registerTool('erase', { requires: ['files:write'] }, ({ mcpReq }) =>
 *         erase(mcpReq.signal),
 *       )
 *       return server
 *     },
 *   })
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 * @see Model Context Protocol 2026-07-28, "Authorization"
 */
export function guardMcp(enforcement: McpEnforcement, options: GuardMcpOptions): McpGuard {
  checkGuardMcp(enforcement, options)
  const { identify, resourceMetadata, handler: settings = {} } = options
  const callers = new AsyncLocalStorage<Caller>()
  const watches = createToolWatches(enforcement)
  const bus = listenersBus(
    settings.bus ?? new InMemoryServerEventBus(settings.onerror),
    (changed) => {
      const caller = callers.getStore()
      if (!caller) return () => undefined
      caller.listens = true
      return watches.watch(caller, changed)
    },
  )
  const makeServer = serverMaker(enforcement, options, callers)
  const handler = createMcpHandler(makeServer, { ...settings, bus })
  const legacy = createLegacyListener({ makeServer, bus, handler: settings })

  const answer = async (
    request: Request,
    caller: Caller,
    given: McpHandlerRequestOptions,
  ): Promise<Response> => {
    const isListening = request.method === 'GET' && settings.legacy !== 'reject'
    const response = await callers.run(caller, () =>
      isListening ? legacy.listen(request, given) : handler.fetch(request, given),
    )
    if (!caller.listens) return response
    const over = new AbortController()
    const ended = enforcement.signal(caller.who, { requires: [], until: over.signal })
    return streamUntil(response, ended, () => over.abort())
  }
  const judged = async (request: Request, given: McpHandlerRequestOptions): Promise<Response> => {
    const who = await identify(request, given.authInfo)
    if (!who) return unauthorized(request)
    const decision = enforcement.check(who, { requires: [] })
    if (decision.outcome !== 'allow') return decision.response()
    return answer(request, { who, needs: new Map(), listens: false }, given)
  }

  return {
    fetch: async (request, given = {}) => finished(await judged(request, given), resourceMetadata),
    notify: handler.notify,
    close: async () => {
      watches.close()
      legacy.close()
      await handler.close()
    },
  }
}

type MakeServer = (context: McpRequestContext) => Promise<GuardedServer>

/** Makes the server of one request, and does not believe that the guard was put into it. */
function serverMaker(
  enforcement: McpEnforcement,
  { server: make }: GuardMcpOptions,
  callers: AsyncLocalStorage<Caller>,
): MakeServer {
  return async (context) => {
    const caller = callers.getStore()
    if (!caller) throw new Error('a server was asked for outside of a request')
    const guarded = new Set<unknown>()
    const guard = createGuardServer(enforcement, caller, context.era)
    const put: typeof guard = (server) => {
      const result = guard(server)
      guarded.add(result)
      return result
    }
    const server = await make(put, { ...context, who: caller.who })
    if (!guarded.has(server)) throw new TypeError('"server" must return what "guard" returned')
    return server
  }
}

/** Tells each listener, besides what is published to all, what changes for itself alone. */
const listenersBus = (
  inner: ServerEventBus,
  watch: (changed: () => void) => () => void,
): ServerEventBus => ({
  publish: (event) => inner.publish(event),
  subscribe: (listener) => {
    const leave = inner.subscribe(listener)
    const stop = watch(() => listener({ kind: 'tools_list_changed' }))
    return () => {
      leave()
      stop()
    }
  },
})
