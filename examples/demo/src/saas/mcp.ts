import { setTimeout as sleep } from 'node:timers/promises'
import {
  fromJsonSchema,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
} from '@modelcontextprotocol/server'
import type { Express } from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { FetchHandler } from '@drawbridge/core'
import { toNode } from '@drawbridge/enforcement/express'
import { fromClaims, type Enforcement, type Who } from '@drawbridge/enforcement'
import { guardMcp, type GuardMcpOptions } from '@drawbridge/enforcement/mcp'
import type { Notices } from './notices.ts'

/** What {@link addMcp} needs. */
export interface McpParts {
  readonly idp: string
  readonly origin: string
  /** For whom the tokens of agents must be. */
  readonly audience: string
  readonly enforcement: Enforcement
  readonly notices: Notices
}

/** Adds the MCP endpoint for agents, and the document that says who gives tokens for it. */
export function addMcp(app: Express, parts: McpParts): { close(): Promise<void> } {
  const { idp, origin, audience, enforcement } = parts
  const metadata = '/.well-known/oauth-protected-resource/mcp'
  app.get(metadata, (_request, response) => {
    response.json({ resource: audience, authorization_servers: [idp] })
  })
  const mcp = guardMcp(enforcement, {
    identify: identifier(parts),
    resourceMetadata: `${origin}${metadata}`,
    server: reportsServer(),
  })
  const endpoint: FetchHandler = {
    serves: (pathname) => pathname === '/mcp',
    // Another website's page must not reach it by a name that leads to loopback.
    fetch: async (request) =>
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins()) ??
      mcp.fetch(request),
  }
  app.use(toNode(endpoint))
  return { close: () => mcp.close() }
}

/** Reads who acts, and for whom, from an access token. */
function identifier({ idp, audience, notices }: McpParts): GuardMcpOptions['identify'] {
  const keys = createRemoteJWKSet(new URL(`${idp}/login-keys`))
  const expected = { issuer: idp, audience, typ: 'at+jwt' }
  return async ({ headers }): Promise<Who | undefined> => {
    const [, token] = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '') ?? []
    const verified =
      token !== undefined &&
      (await jwtVerify<{ act: { sub: string } }>(token, keys, expected).catch(() => undefined))
    if (!verified) return undefined
    const { sub: person = '', act } = verified.payload
    const who = fromClaims(verified.payload)
    notices.seen({ name: act.sub, person, who })
    return who
  }
}

/** Makes servers that all work on one report. */
function reportsServer(): GuardMcpOptions['server'] {
  let written = 0
  let writers = 0
  const inputSchema = fromJsonSchema<{ readonly lines: number }>({
    type: 'object',
    properties: { lines: { type: 'integer', minimum: 1, maximum: 1000 } },
    required: ['lines'],
  })
  const says = (text: string) => ({ content: [{ type: 'text' as const, text }] })
  return (guard) => {
    const server = guard(new McpServer({ name: 'reports', version: '0.1.0' }))
    server.registerTool('read_report', { requires: ['reports:read'] }, () =>
      says(`Lines in the report: ${written}. ${writers > 0 ? 'Somebody' : 'Nobody'} writes.`),
    )
    server.registerTool(
      'write_report',
      { requires: ['reports:write'], inputSchema },
      async ({ lines }, { mcpReq: { signal, notify, _meta } }) => {
        const progressToken = _meta?.progressToken
        writers++
        try {
          for (let progress = 1; progress <= lines; progress++) {
            // Rejects when the access ends: the line is not written.
            await sleep(lineMs, undefined, { signal })
            written++
            const params = { progressToken, progress, total: lines }
            if (progressToken !== undefined)
              await notify({ method: 'notifications/progress', params })
          }
        } finally {
          writers--
        }
        return says(`Lines written: ${lines}.`)
      },
    )
    return server
  }
}

/** How long it takes to write a line, in milliseconds. */
const lineMs = 20
