import {
  WebStandardStreamableHTTPServerTransport,
  type CreateMcpHandlerOptions,
  type McpHandlerRequestOptions,
  type McpRequestContext,
  type ServerEvent,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import { emptyResponse } from '@drawbridge/core'
import { streamUntil } from './challenge.ts'
import type { GuardedServer } from './guard-server.ts'

/** What the streams of the earlier revisions need. */
export interface LegacyListenerSettings {
  readonly bus: ServerEventBus
  readonly handler: CreateMcpHandlerOptions
  /** Makes the server of one request. */
  makeServer(context: McpRequestContext): Promise<GuardedServer>
}

/** The streams of changes for clients of the earlier revisions. */
export interface LegacyListener {
  /** Answers a GET with a stream. */
  listen(request: Request, given: McpHandlerRequestOptions): Promise<Response>
  /** Ends all streams. */
  close(): void
}

/** What `createMcpHandler` has for its own streams. */
const defaultMaxSubscriptions = 1024

/**
 * Makes the stream on which clients of the earlier revisions hear of changes: there it is a GET,
 * for which `createMcpHandler` has no answer but 405. Each stream stands for itself, so that any
 * process can serve it.
 *
 * @see Model Context Protocol 2025-11-25, "Listening for Messages from the Server"
 */
export function createLegacyListener(settings: LegacyListenerSettings): LegacyListener {
  const { bus, handler, makeServer } = settings
  const { maxSubscriptions = defaultMaxSubscriptions, keepAliveMs } = handler
  const closing = new AbortController()
  let open = 0
  const serve: LegacyListener['listen'] = async (request, { authInfo }) => {
    const context = { era: 'legacy', requestInfo: request, ...(authInfo && { authInfo }) } as const
    const server = await makeServer(context)
    const transport = new WebStandardStreamableHTTPServerTransport({
      ...(keepAliveMs !== undefined && { keepAliveMs }),
    })
    await server.connect(transport)
    const response = await transport.handleRequest(request)
    if (!response.ok) {
      await server.close()
      return response
    }
    open += 1
    const leave = bus.subscribe((event) => tell(server, event))
    const over = (): void => {
      open -= 1
      leave()
      void server.close()
    }
    return streamUntil(response, closing.signal, over)
  }
  return {
    listen: async (request, given) => {
      // What a server answers that offers no stream: the client goes on without one.
      if (open >= maxSubscriptions) return emptyResponse(405, { allow: 'POST' })
      try {
        return await serve(request, given)
      } catch (error) {
        // As "createMcpHandler" does with what the application's function throws.
        handler.onerror?.(error as Error)
        return emptyResponse(500)
      }
    },
    close: () => closing.abort(),
  }
}

/** Whoever has no session cannot have asked for a resource's changes. */
const notifications = {
  tools_list_changed: 'sendToolListChanged',
  prompts_list_changed: 'sendPromptListChanged',
  resources_list_changed: 'sendResourceListChanged',
  resource_updated: undefined,
} as const

function tell({ server }: GuardedServer, { kind }: ServerEvent): void {
  const send = notifications[kind]
  // A server that has no prompts cannot say that they changed.
  if (send) server[send]().catch(() => undefined)
}
