import { jsonResponse } from '@drawbridge/core'

/**
 * Answers a request of nobody: 401, without an error code where there was no token at all.
 *
 * @see RFC 6750, "The WWW-Authenticate Response Header Field"
 */
export function unauthorized(request: Request): Response {
  const error = 'invalid_token'
  const description = 'the access token is missing or invalid'
  const hasToken = request.headers.get('authorization') !== null
  const challenge = hasToken
    ? `Bearer error="${error}", error_description="${description}"`
    : 'Bearer'
  const body = { error, error_description: description }
  return jsonResponse(401, body, { 'www-authenticate': challenge })
}

/**
 * Adds to a challenge where the client finds the authorization server, and keeps every answer from
 * caches: it is one session's.
 *
 * @see RFC 9728, "Use of WWW-Authenticate for Protected Resource Metadata"
 */
export function finished(response: Response, resourceMetadata: string): Response {
  const headers = new Headers(response.headers)
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  const challenge = headers.get('www-authenticate')
  if (challenge?.startsWith('Bearer') && !challenge.includes('resource_metadata=')) {
    const parameter = `resource_metadata="${resourceMetadata}"`
    const separator = challenge === 'Bearer' ? ' ' : ', '
    headers.set('www-authenticate', `${challenge}${separator}${parameter}`)
  }
  const { body, status, statusText } = response
  return new Response(body, { status, statusText, headers })
}

/**
 * Ends the stream of an answer when a signal aborts.
 *
 * @param over Called once, whoever ended it: the signal, the client, or the stream itself
 */
export function streamUntil(response: Response, ended: AbortSignal, over: () => void): Response {
  const { body, status, headers } = response
  if (!body) return response
  const reader = body.getReader()
  let isOver = false
  const finish = (): void => {
    if (isOver) return
    isOver = true
    ended.removeEventListener('abort', stop)
    over()
  }
  const stop = (): void => {
    // Before the client has read what is left: it may never do so.
    finish()
    reader.cancel().catch(() => undefined)
  }
  if (ended.aborted) stop()
  else ended.addEventListener('abort', stop)
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await reader.read()
      if (!done) return controller.enqueue(value)
      finish()
      controller.close()
    },
    cancel: async (reason) => {
      finish()
      await reader.cancel(reason)
    },
  })
  return new Response(stream, { status, headers })
}
