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
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })
}

/** An answer without a body that no cache keeps. */
export function emptyResponse(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(null, { status, headers: { 'cache-control': 'no-store', ...headers } })
}
