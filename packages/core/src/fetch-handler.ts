/** Something that answers HTTP requests with the Fetch API's own types. */
export interface FetchHandler {
  /** Answers a request. Never rejects. */
  fetch(request: Request): Promise<Response>
  /** Tells whether a path is this handler's, so that a server can pass others on. */
  serves(pathname: string): boolean
}

/** A JSON answer that no cache keeps. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const text = JSON.stringify(body)
  const response = new Response(text, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
  texts.set(response, text)
  return response
}

const texts = new WeakMap<Response, string>()

/**
 * The text of an answer whose body nobody has read, where it is known: to read it back out of its
 * stream costs more than to make it.
 */
export const knownText = (response: Response): string | undefined =>
  response.bodyUsed ? undefined : texts.get(response)

/** An answer without a body that no cache keeps. */
export function emptyResponse(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(null, { status, headers: { 'cache-control': 'no-store', ...headers } })
}
