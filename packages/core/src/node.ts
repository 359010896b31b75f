import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { knownText, type FetchHandler } from './fetch-handler.ts'
import { IncomingRequest } from './incoming-request.ts'

/** What `node:http`, Express and connect call. Without `next`, every request is answered. */
export type NodeListener = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/**
 * Mounts a Fetch handler in `node:http`, `node:https`, Express or connect. Requests whose path is
 * not the handler's are passed to `next`, where there is one. Mount it before body parsers: it
 * reads the body itself.
 */
export function toNode(handler: FetchHandler): NodeListener {
  return (request, response, next) => {
    const url = targetOf(request)
    if (next && (!url || !handler.serves(url.pathname))) return next()
    if (!url) {
      response.writeHead(400).end()
      return
    }
    answer(handler, url.href, request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy()
      if (next) return next(error)
      response.writeHead(500, { connection: 'close' }).end()
    })
  }
}

/**
 * Reads what a peer asked for, or returns undefined where that is no URL. A target that begins with
 * two slashes is a path too, and names no host.
 */
export function targetOf(request: IncomingMessage): URL | undefined {
  // Express rewrites `url` below a mount point; the path that the peer asked for decides.
  const target = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
  try {
    const url = new URL(target.startsWith('/') ? `http://host${target}` : target)
    // No Request can have them.
    return url.username === '' && url.password === '' ? url : undefined
  } catch {
    return undefined
  }
}

async function answer(
  handler: FetchHandler,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const incoming = new IncomingRequest(url, request)
  if (incoming.hasBody && request.readableEnded) {
    throw new Error('the body was read before: mount Drawbridge before express.json() and the like')
  }
  response.once('close', () => {
    if (!response.writableFinished) incoming.abort()
  })
  const result = await handler.fetch(incoming)
  if (response.destroyed) {
    await result.body?.cancel()
    return
  }
  response.statusCode = result.status
  response.setHeaders(result.headers)
  response.once('finish', () => {
    if (!incoming.hasBody || request.readableEnded) return
    incoming.abandon()
    discard(request)
  })
  const text = knownText(result)
  // Most answers are small: one write, and Node counts its bytes.
  if (text !== undefined || !result.body) response.end(text)
  else if (request.method === 'HEAD') {
    response.end()
    await result.body.cancel()
  } else await writeAll(result.body, response)
}

/** Writes a body as it comes, no faster than it is read, until it ends or the peer is gone. */
async function writeAll(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const reader = body.getReader()
  const gone = new AbortController()
  response.once('close', () => {
    gone.abort()
    // Whoever fills it is told that nobody reads.
    reader.cancel().catch(() => undefined)
  })
  // What listens for changes wants to know at once that it does.
  response.flushHeaders()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return void response.end()
    if (response.write(value)) continue
    await once(response, 'drain', { signal: gone.signal }).catch(() => undefined)
  }
}

/** How long what is left of a refused body is thrown away before the connection is closed. */
const discardMs = 2000

/**
 * Throws the rest of a body away for a while. Closed at once, with data on its way, the connection
 * would be reset, and the answer lost with it.
 */
function discard(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), discardMs).unref()
  request.once('close', () => clearTimeout(timer)).resume()
}
