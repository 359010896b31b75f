import type { IncomingMessage, ServerResponse } from 'node:http'
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
    const url = parse(target)
    if (next && (!url || !handler.serves(url.pathname))) return next()
    if (!url) {
      response.writeHead(400).end()
      return
    }
    answer(handler, url, request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy()
      if (next) return next(error)
      response.writeHead(500, { connection: 'close' }).end()
    })
  }
}

/** A target that begins with two slashes is a path too, and names no host. */
function parse(target: string): URL | undefined {
  const url = target.startsWith('/') ? `http://host${target}` : target
  return URL.canParse(url) ? new URL(url) : undefined
}

async function answer(
  handler: FetchHandler,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
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
  const body = hasBody ? bodyOf(request) : undefined
  const result = await handler.fetch(
    new Request(url, {
      method,
      headers,
      signal: gone.signal,
      ...(body ? { body: body.stream, duplex: 'half' } : {}),
    }),
  )
  if (response.destroyed) return
  response.writeHead(result.status, [...result.headers].flat())
  response.once('finish', () => {
    if (!body || request.readableEnded) return
    body.abandon()
    discard(request)
  })
  // The answers of Drawbridge are small: one write.
  response.end(result.body ? new Uint8Array(await result.arrayBuffer()) : undefined)
}

/**
 * The body of a request as it arrives. Unlike `Readable.toWeb`, to cancel it leaves the connection
 * open: the peer must still hear why its body was refused.
 */
function bodyOf(request: IncomingMessage): {
  readonly stream: ReadableStream<Uint8Array>
  /** Ends the stream for whoever still reads it. */
  abandon(): void
} {
  let release = (): void => undefined
  let fail = (_reason: string): void => undefined
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const onData = (chunk: Uint8Array): void => {
        controller.enqueue(chunk)
        if ((controller.desiredSize ?? 0) <= 0) request.pause()
      }
      const onEnd = (): void => {
        release()
        controller.close()
      }
      const onClose = (): void => fail('the connection closed before the body was complete')
      release = () => {
        request.off('data', onData).off('end', onEnd).off('close', onClose).pause()
      }
      fail = (reason) => {
        release()
        controller.error(new Error(reason))
      }
      request.on('data', onData).on('end', onEnd).on('close', onClose).pause()
    },
    pull: () => void request.resume(),
    cancel: () => release(),
  })
  return { stream, abandon: () => fail('the request was answered before its body was read') }
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
