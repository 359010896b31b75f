// The agent, as far as the gateway sees it: an MCP client of either revision of the protocol.
import { EventEmitter, once } from 'node:events'
import {
  Client,
  StreamableHTTPClientTransport,
  type Tool,
  type VersionNegotiationOptions,
} from '@modelcontextprotocol/client'
import { answerOf } from '../frame/observe.ts'
import type { NodeName } from '../frame/stage.ts'

/** The revisions of the protocol, by the process that is spoken to in it. */
export const revisions: Readonly<Record<NodeName, VersionNegotiationOptions>> = {
  one: { mode: { pin: '2026-07-28' } },
  two: { mode: 'legacy' }, // 2025-11-25
}

/** An agent that is connected to one process. */
export interface AgentClient {
  /** Uses another token from now on. */
  use(token: string): void
  /** The names of its tools. */
  tools(): Promise<string>
  /** Uses a tool; resolves with the text of its result, or with `401 invalid_token`. */
  call(name: string, input?: Readonly<Record<string, string>>): Promise<string>
  /** Waits until it is told that its tools have changed; resolves with their names. */
  changed(): Promise<string>
  /** Waits until the stream ends on which it is told so. */
  ended(): Promise<unknown>
  close(): Promise<void>
}

/** Connects an agent to a gateway. */
export async function connectAgent(
  url: URL,
  token: string,
  versionNegotiation: VersionNegotiationOptions,
): Promise<AgentClient> {
  let current = token
  let refused = ''
  const told = new EventEmitter()
  const wait = (event: string): Promise<unknown[]> =>
    once(told, event, { signal: AbortSignal.timeout(30_000) }).catch(() => {
      throw new Error(`the agent did not see "${event}" within 30 s`)
    })
  const onChanged = (error: Error | null, tools: Tool[] | null): void =>
    void told.emit('changed', error?.message ?? namesOf(tools ?? []))
  const client = new Client(
    { name: 'agent', version: '1.0.0' },
    { versionNegotiation, listChanged: { tools: { onChanged, debounceMs: 0 } } },
  )
  const transport = new StreamableHTTPClientTransport(url, {
    authProvider: { token: () => Promise.resolve(current) },
    fetch: async (target, init) => {
      const response = await fetch(target, init)
      if (response.status === 401) refused = answerOf(response)
      if (!response.ok || !isListening(init)) return response
      told.emit('listens')
      return untilEnd(response, () => told.emit('ended'))
    },
  })
  const listens = wait('listens')
  await client.connect(transport)
  // Clients of 2025-11-25 begin to listen behind the back of "connect".
  await listens
  return {
    use: (next) => {
      current = next
    },
    tools: async () => namesOf((await client.listTools()).tools),
    call: async (name, input = {}) => {
      try {
        const { content } = await client.callTool({ name, arguments: input })
        return textOf(content)
      } catch (error) {
        if ((error as Error).name === 'UnauthorizedError') return refused
        throw error
      }
    },
    changed: async () => String((await wait('changed'))[0]),
    ended: () => wait('ended'),
    close: () => client.close(),
  }
}

const namesOf = (tools: readonly Tool[]): string => tools.map(({ name }) => name).join(', ')

const textOf = (content: readonly { readonly type: string }[]): string =>
  content.map((one) => ('text' in one ? String(one.text) : '')).join('')

/** A GET until 2025-11-25, a request that goes on afterwards. */
const isListening = (init: RequestInit = {}): boolean =>
  init.method === 'GET' || new Headers(init.headers).get('mcp-method') === 'subscriptions/listen'

function untilEnd({ body, status, headers }: Response, ended: () => void): Response {
  const watched = new TransformStream<Uint8Array, Uint8Array>({ flush: ended })
  return new Response(body?.pipeThrough(watched) ?? null, { status, headers })
}
