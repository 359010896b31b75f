import { EventEmitter, on, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client'
import {
  fromJsonSchema,
  McpServer,
  type CreateMcpHandlerOptions,
} from '@modelcontextprotocol/server'
import { toNode } from '@drawbridge/core/node'
import { DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  createPolicy,
  fromClaims,
  type Enforcement,
  type EnforcementOptions,
  type TokenClaims,
} from '@drawbridge/enforcement'
import { guardMcp, type GuardMcpOptions, type McpGuard } from '@drawbridge/enforcement/mcp'
import { idp, laptop, noon, startedNode, type TestNode } from './signals.ts'

export const resourceMetadata = 'https://files.example/.well-known/oauth-protected-resource/mcp'

/** Not compliant takes the grant to write; a revoked session ends. */
const policy = createPolicy([
  { on: DeviceComplianceChange, effect: 'restrict', terms: { take: ['files:write'] } },
  { on: SessionRevoked, effect: 'terminate' },
])

/** The claims of an agent that acts for Alice, since a minute before noon. */
export const agentClaims: TokenClaims = {
  iss: idp,
  sub: 'alice',
  client_id: 'agent-client',
  act: { sub: 'agent-7' },
  auth_time: noon - 60,
  scope: 'files:read files:write',
}

/** An MCP server over a real socket, and what happened in its tools. */
export interface McpSite {
  readonly node: TestNode
  readonly guard: McpGuard
  readonly url: URL
  /** `write:began` and `write:aborted` with the signal; `error` of the handler. */
  readonly told: EventEmitter
  /** What the handler reported. */
  readonly errors: readonly Error[]
  /** How often the guard has looked at what a session may use. */
  looks(): number
  /** Mints a token. */
  token(claims?: TokenClaims): string
  /** Asks without a client. */
  post(token: string | undefined, body: object, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

/** What can be different. */
export interface SiteOptions {
  readonly handler?: CreateMcpHandlerOptions
  readonly server?: GuardMcpOptions['server']
  readonly enforcement?: Partial<EnforcementOptions>
}

export async function serveMcp(options: SiteOptions = {}): Promise<McpSite> {
  const { handler, server, enforcement } = options
  const node = await startedNode({ policy, ...enforcement })
  const told = new EventEmitter()
  const errors: Error[] = []
  const tokens = new Map<string, TokenClaims>()
  let looks = 0
  const explain: Enforcement['explain'] = (who) => {
    looks += 1
    return node.enforcement.explain(who)
  }
  const guard = guardMcp(
    { ...node.enforcement, explain },
    {
      identify: ({ headers }) => {
        const [, token = ''] = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '') ?? []
        const claims = tokens.get(token)
        return claims && fromClaims(claims, { subject: { device: laptop } })
      },
      resourceMetadata,
      server: server ?? ((put) => filesServer(put, told)),
      handler: { onerror: (error) => void errors.push(error), ...handler },
    },
  )
  const http = createServer(
    toNode({ fetch: (request) => guard.fetch(request), serves: () => true }),
  )
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
  return {
    node,
    guard,
    url,
    told,
    errors,
    looks: () => looks,
    token: (claims = agentClaims) => {
      const token = `token-${tokens.size + 1}`
      tokens.set(token, { ...claims, jti: token })
      return token
    },
    post: (token, body, headers = {}) =>
      fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
      }),
    close: async () => {
      await guard.close()
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
      await node.enforcement.stop()
    },
  }
}

/** Tools that need different grants, one that declares nothing, and a resource. */
const filesServer = (
  guard: Parameters<GuardMcpOptions['server']>[0],
  told: EventEmitter,
): ReturnType<typeof guard> => {
  const server = guard(new McpServer({ name: 'files', version: '1.0.0' }))
  const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
  server.registerTool('about', { requires: [] }, () => text('files'))
  server.registerTool('read', { requires: ['files:read'] }, () => text('the file'))
  const inputSchema = fromJsonSchema<{ readonly path: string }>({
    type: 'object',
    properties: { path: { type: 'string' } },
    required: ['path'],
  })
  server.registerTool(
    'write',
    { requires: ['files:write'], inputSchema },
    async ({ path }, { mcpReq: { signal } }) => {
      if (path === 'quick') return text('written')
      signal.addEventListener('abort', () => told.emit('write:aborted', signal.reason))
      told.emit('write:began', signal)
      if (path === 'stubborn') await once(told, 'never')
      await once(signal, 'abort')
      throw new Error(`aborted for ${String(signal.reason)} ${JSON.stringify(signal.reason)}`)
    },
  )
  server.registerTool('undeclared', {}, () => text('whatever'))
  server.registerResource('plan', 'files://plan', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'the plan' }],
  }))
  return server
}

/** The revisions of the protocol that the client speaks. */
export const revisions = [
  ['2026-07-28', { mode: { pin: '2026-07-28' } }],
  ['2025-11-25', { mode: 'legacy' }],
] as const

export type Revision = (typeof revisions)[number][1]

/** A client, and each list of tools that it was told of. */
export interface TestClient {
  readonly client: Client
  readonly transport: StreamableHTTPClientTransport
  /** Uses another token from now on. */
  use(token: string): void
  names(): Promise<readonly string[]>
  /** The next list after a change; each list only once. */
  change(): Promise<readonly string[]>
  /** The last answer over HTTP. */
  last(): Response
  /** How often the list has changed. */
  changes(): number
}

export async function connect(
  { url }: McpSite,
  token: string,
  versionNegotiation: Revision,
): Promise<TestClient> {
  let current = token
  let changes = 0
  let last = new Response()
  const told = new EventEmitter()
  const lists = on(told, 'tools')
  const onChanged = (error: Error | null, tools: Tool[] | null): void => {
    changes += 1
    told.emit('tools', error ?? namesOf(tools ?? []))
  }
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation, listChanged: { tools: { onChanged, debounceMs: 0 } } },
  )
  const transport = new StreamableHTTPClientTransport(url, {
    fetch: async (target, init) => {
      const headers = new Headers(init?.headers)
      headers.set('authorization', `Bearer ${current}`)
      const response = await fetch(target, { ...init, headers })
      last = response
      if (init?.method === 'GET') told.emit('listening', response.status)
      return response
    },
  })
  const listening = once(told, 'listening')
  await client.connect(transport)
  // Clients of 2026-07-28 listen by a request that "connect" waits for, the others behind its back.
  if (versionNegotiation.mode === 'legacy') await listening
  return {
    client,
    transport,
    use: (next) => {
      current = next
    },
    names: async () => namesOf((await client.listTools()).tools),
    change: async () => {
      const { value } = (await lists.next()) as { value: [readonly string[]] }
      return value[0]
    },
    last: () => last,
    changes: () => changes,
  }
}

const namesOf = (tools: readonly Tool[]): readonly string[] => tools.map(({ name }) => name)
