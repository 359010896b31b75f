import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FetchHandler } from './fetch-handler.ts'

/** What `node:http`, Express and connect call. Without `next`, every request is answered. */
export type NodeListener = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/**
 * Mounts a Fetch handler in `node:http`, Express or connect. Requests whose path is not the
 * handler's are passed to `next`, where there is one. Mount it before body parsers: it reads the
 * body itself.
 */
export function toNode(handler: FetchHandler): NodeListener {
  return (request, response, next) => {
    // Express rewrites `url` below a mount point; the path that the peer asked for decides.
    const target = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
    const url = URL.parse ? URL.parse(target, 'http://host') : parse(target)
    if (next && (!url || !handler.serves(url.pathname))) return next()
    if (!url) {
      response.writeHead(400).end()
      return
    }
    answer(handler, url, request, response).catch((error: unknown) => {
      if (next && !response.headersSent) return next(error)
      response.destroy()
    })
  }
}

const parse = (target: string): URL | null =>
  URL.canParse(target, 'http://host') ? new URL(target, 'http://host') : null

async function answer(
  handler: FetchHandler,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const method = request.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  if (hasBody && request.readableEnded) {
    throw new Error('the body was read before: mount Drawbridge before express.json() and the like')
  }
  const headers = new Headers()
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? ''
    if (!name.startsWith(':')) headers.append(name, request.rawHeaders[index + 1] ?? '')
  }
  const result = await handler.fetch(
    new Request(url, {
      method,
      headers,
      signal: gone.signal,
      ...(hasBody ? { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' } : {}),
    } as RequestInit),
  )
  if (response.destroyed) return
  response.writeHead(result.status, [...result.headers].flat())
  // The answers of Drawbridge are small: one write.
  response.end(result.body ? new Uint8Array(await result.arrayBuffer()) : undefined)
  // A body that was refused half way would otherwise be read as the next request.
  if (hasBody && !request.complete) {
    response.once('finish', () => request.destroy())
  }
}
