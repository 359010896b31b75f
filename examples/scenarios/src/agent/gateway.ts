// The gateway that agents talk to, in each process of the API: an MCP server whose every request
// answers to the enforcement.
import { guardMcp } from '@drawbridge/enforcement/mcp'
import type { FetchHandler } from '@drawbridge/core'
import type { GatewayParts } from '../frame/agents.ts'
import { createDataBoundary } from './data-boundary.ts'
import { filesServer } from './files-server.ts'
import { resourceMetadata } from './resource.ts'
import { whoOf } from './who.ts'

/** Makes the gateway of one process. */
export function createGateway(parts: GatewayParts): FetchHandler {
  const { enforcement, sessions, decisionPoint, verify, tell } = parts
  const mayUse = createDataBoundary(decisionPoint, enforcement)
  const files = new Map([
    ['reports/q3.txt', 'Revenue has grown.'],
    ['payroll/salaries.csv', 'Nobody is to know.'],
  ])
  const mcp = guardMcp(enforcement, {
    identify: async (request) => {
      const claims = await verify(request)
      if (!claims) return undefined
      const who = whoOf(claims)
      // By these, hooks find out whom to tell; what may go on is asked of the enforcement alone.
      const { jti, exp } = claims
      await sessions.put({ ...who, id: String(jti), expires: new Date(Number(exp) * 1000) })
      return who
    },
    resourceMetadata,
    server: (guard, { who }) => filesServer(guard, { who, files, mayUse, tell }),
  })
  return {
    serves: (pathname) => pathname === '/mcp',
    fetch: (request) => mcp.fetch(request),
  }
}
