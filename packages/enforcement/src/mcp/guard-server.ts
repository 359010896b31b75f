import type {
  Icon,
  ListToolsResult,
  McpRequestContext,
  McpServer,
  RegisteredTool,
  ScopeChallengeHandler,
  ServerContext,
  StandardSchemaWithJSON,
  ToolAnnotations,
  ToolCallback,
} from '@modelcontextprotocol/server'
import { checkOptions } from '@drawbridge/core'
import { isScopeToken } from '../effect.ts'
import { accessOf, type Caller, type McpEnforcement } from './caller.ts'
import { guardCall, type CallResult } from './guard-call.ts'
import { mayUse, wouldScopeHelp } from './tool-access.ts'

/** What a tool is registered with: the configuration of `McpServer`, and the grants it needs. */
export interface ToolConfig<
  Input extends StandardSchemaWithJSON | undefined,
  Output extends StandardSchemaWithJSON,
> {
  /**
   * The grants that a call needs: `['files:write']`; none: `[]`. Default: nobody has said, and a
   * session that was restricted neither sees the tool nor may call it.
   */
  readonly requires?: readonly string[]
  readonly title?: string
  readonly description?: string
  readonly inputSchema?: Input
  readonly outputSchema?: Output
  readonly annotations?: ToolAnnotations
  readonly icons?: Icon[]
  /** Asked only of who may use the tool. */
  readonly scopeChallenge?: ScopeChallengeHandler
  readonly _meta?: Record<string, unknown>
}

/** An `McpServer` whose tools can say what grants they need. */
export type GuardedServer = McpServer & {
  /** As `registerTool` of `McpServer`, with `requires`. */
  registerTool<
    Output extends StandardSchemaWithJSON,
    Input extends StandardSchemaWithJSON | undefined = undefined,
  >(
    name: string,
    config: ToolConfig<Input, Output>,
    callback: ToolCallback<Input>,
  ): RegisteredTool
}

/** Puts the guard into a server that was just made. */
export type GuardServer = (server: McpServer) => GuardedServer

type Era = McpRequestContext['era']
type Handler<Result = unknown> = (request: never, context: ServerContext) => Promise<Result>
type Register = (name: string, config: object, callback: unknown) => RegisteredTool
type SetHandler = (method: string, ...handling: unknown[]) => void

/**
 * Makes the function that puts the guard into the server of one request. It stands between the
 * server and what it handles, so that no tool passes by it, however it is registered.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` by the function, for a server that has tools already
 */
export function createGuardServer(
  enforcement: McpEnforcement,
  caller: Caller,
  era: Era,
): GuardServer {
  const ways = handlersOf(enforcement, caller, era)
  return (server) => {
    checkHasNothing(server)
    const inner = server.server as unknown as { setRequestHandler: SetHandler }
    const register = server.registerTool.bind(server) as Register
    const setHandler = inner.setRequestHandler.bind(inner)
    inner.setRequestHandler = (method, ...handling) => {
      const handler = handling.pop() as Handler<never>
      setHandler(method, ...handling, ways[method]?.(handler) ?? handler)
    }
    const registerTool = (name: string, config: ToolConfig<undefined, never>, run: unknown) => {
      const { requires, scopeChallenge, ...rest } = config
      checkRequires(name, requires)
      caller.needs.set(name, requires)
      const challenge = challengeOf(enforcement, caller, { requires, scopeChallenge })
      return register(name, { ...rest, scopeChallenge: challenge }, run)
    }
    return Object.assign(server, { registerTool }) as GuardedServer
  }
}

/** What is done instead of calling a method's handler. */
function handlersOf(
  enforcement: McpEnforcement,
  caller: Caller,
  era: Era,
): Readonly<Record<string, (handler: Handler<never>) => Handler>> {
  const undeclared =
    (handler: Handler): Handler =>
    async (request, context) => {
      if (enforcement.check(caller.who).outcome === 'allow') return handler(request, context)
      throw Object.assign(new Error('This session has no access to this.'), { code: -32_600 })
    }
  return {
    'tools/list': (list: Handler<ListToolsResult>) => async (request, context) => {
      const result = await list(request, context)
      return listed(result, accessOf(enforcement, caller), { needs: caller.needs, era })
    },
    'tools/call': (call: Handler<CallResult>) => (request, context) => {
      const { name } = (request as { readonly params: { readonly name: string } }).params
      const run = (watched: ServerContext): Promise<CallResult> => call(request, watched)
      return guardCall(enforcement, { caller, requires: caller.needs.get(name), context, run })
    },
    ...Object.fromEntries(undeclaredMethods.map((method) => [method, undeclared])),
  }
}
