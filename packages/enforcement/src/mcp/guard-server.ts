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
import { guardCall, refusals, type CallResult } from './guard-call.ts'
import { mayUse, wouldScopeHelp, type ToolAccess } from './tool-access.ts'

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
type Request = { readonly params?: { readonly name?: string } }
type Handler = (request: Request, context: ServerContext) => Promise<unknown>
type SetHandler = (method: string, ...handling: unknown[]) => void
type Register = (name: string, config: object, callback: unknown) => RegisteredTool

/**
 * Makes the function that puts the guard into the server of one request. It stands between the
 * server and what it handles, so that no tool passes by it, however it is registered.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` by the function, for a server that has something
 *   registered already; by `registerTool`, for grants that can be none
 */
export function createGuardServer(
  enforcement: McpEnforcement,
  caller: Caller,
  era: Era,
): GuardServer {
  const guarded = guardHandlers(enforcement, caller, era)
  return (server) => {
    checkIsEmpty(server)
    const inner = server.server as unknown as { setRequestHandler: SetHandler }
    const setRequestHandler = inner.setRequestHandler.bind(inner)
    inner.setRequestHandler = (method, ...handling) => {
      const handler = handling.pop() as Handler
      setRequestHandler(method, ...handling, guarded(method, handler))
    }
    const register = server.registerTool.bind(server) as Register
    const registerTool = (name: string, config: AnyToolConfig, callback: unknown) => {
      const { requires, ...rest } = config
      checkRequires(name, requires)
      caller.needs.set(name, requires)
      const challenge = challengeOf(enforcement, caller, config)
      return register(name, { ...rest, scopeChallenge: challenge }, callback)
    }
    return Object.assign(server, { registerTool })
  }
}

type AnyToolConfig = Pick<ToolConfig<undefined, never>, 'requires' | 'scopeChallenge'>

/** What every session gets that may do anything at all. */
const openMethods = new Set(['initialize', 'ping', 'server/discover', 'logging/setLevel'])

/** What stands before the handler of a method. */
function guardHandlers(
  enforcement: McpEnforcement,
  caller: Caller,
  era: Era,
): (method: string, handler: Handler) => Handler {
  return (method, handler) => {
    if (openMethods.has(method)) return handler
    if (method === 'tools/list') {
      return async (request, context) => {
        const result = (await handler(request, context)) as ListToolsResult
        return listed(result, { caller, era, access: accessOf(enforcement, caller) })
      }
    }
    if (method === 'tools/call') {
      return (request, context) => {
        const requires = caller.needs.get(request.params?.name ?? '')
        const run = (watched: ServerContext) => handler(request, watched) as Promise<CallResult>
        return guardCall(enforcement, { caller, requires, context, run })
      }
    }
    // Resources, prompts and methods of the application's own declare nothing.
    return async (request, context) => {
      if (enforcement.check(caller.who).outcome === 'allow') return handler(request, context)
      throw Object.assign(new Error(refusals.undeclared), { code: invalidRequest })
    }
  }
}

/** JSON-RPC's own, for want of one that says "not permitted". */
const invalidRequest = -32_600

/** What one session may see, which is nobody else's, and true for this moment alone. */
function listed(
  result: ListToolsResult,
  { caller, era, access }: { caller: Caller; era: Era; access: ToolAccess },
): ListToolsResult {
  const tools = result.tools.filter(({ name }) => mayUse(caller.needs.get(name), access))
  if (era === 'legacy') return { ...result, tools }
  return { ...result, tools, ttlMs: 0, cacheScope: 'private' }
}

/**
 * Asks for scopes only where they would open the tool; a request that a signal stands against goes
 * on to its refusal. The application's own challenge is for those who may use the tool.
 */
function challengeOf(
  enforcement: McpEnforcement,
  caller: Caller,
  { requires, scopeChallenge }: AnyToolConfig,
): ScopeChallengeHandler {
  return (context) => {
    const access = accessOf(enforcement, caller)
    if (mayUse(requires, access)) return scopeChallenge?.(context)
    const [first, ...rest] = requires ?? []
    if (first === undefined || !wouldScopeHelp(requires, access)) return undefined
    // Asked for once more, so that it is told and counted as the denial that it is.
    enforcement.check(caller.who, { requires: [first, ...rest] })
    return { scopes: [first, ...rest], errorDescription: refusals.notGranted }
  }
}

function checkIsEmpty(server: McpServer): void {
  const { check, done } = checkOptions('guardMcp')
  const { tools, resources, prompts } = server.server.getCapabilities()
  check(
    !tools && !resources && !prompts,
    '"server" must call "guard" before it registers anything, and name no "capabilities" of tools, resources and prompts: registering does',
  )
  done()
}

function checkRequires(name: string, requires: unknown): void {
  const { check, done } = checkOptions('registerTool')
  const isList = Array.isArray(requires) && (requires as unknown[]).every(isScopeToken)
  check(requires === undefined || isList, `"requires" of "${name}" must be an array of grants`)
  done()
}
