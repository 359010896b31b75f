import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that came to the server. */
export interface SeenRequest {
  readonly line: string
  readonly form: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

/** An authorization server whose answers are on order. */
export interface TestAuthorizationServer {
  readonly issuer: string
  readonly requests: SeenRequest[]
  /** How requests of a kind are answered from now on. */
  answer(line: string, answer: Answer): void
  /** The requests for a token. */
  tokenRequests(): readonly SeenRequest[]
  close(): Promise<void>
}

/** A body with status 200, or what a function does with the response. */
export type Answer = object | ((response: ServerResponse, request: SeenRequest) => void)

/** Ends a response as JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Starts one: it has RFC 8414 metadata and gives `token-1`, `token-2` … for an hour each. */
export async function authorizationServer(): Promise<TestAuthorizationServer> {
  const requests: SeenRequest[] = []
  const answers = new Map<string, Answer>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const line = `${request.method} ${request.url}`
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      const seen = { line, form, headers: request.headers }
      requests.push(seen)
      const answer = answers.get(line)
      if (typeof answer === 'function') answer(response, seen)
      else if (answer) json(response, 200, answer)
      else json(response, 404, {})
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokenRequests = (): readonly SeenRequest[] =>
    requests.filter(({ line }) => line === 'POST /token')
  answers.set('GET /.well-known/oauth-authorization-server', {
    issuer,
    token_endpoint: `${issuer}/token`,
  })
  answers.set('POST /token', (response) => {
    const access_token = `token-${tokenRequests().length}`
    json(response, 200, { access_token, token_type: 'Bearer', expires_in: 3600 })
  })
  return {
    issuer,
    requests,
    tokenRequests,
    answer: (line, answer) => void answers.set(line, answer),
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
