import { OptionsError, retryAfterMs, systemClock } from '@drawbridge/core'
import type { Clock, OptionChecks } from '@drawbridge/core'
import { PeerError } from '@drawbridge/schema'

/** How a ready-made hook makes its requests. */
export interface HttpOptions {
  /** Allows `http` URLs. For tests on loopback. Default: false. */
  readonly allowInsecureHttp?: boolean
  /** Makes HTTP requests. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Tells the time. Default: the machine's clock. */
  readonly clock?: Pick<Clock, 'now'>
}

/** The names of {@link HttpOptions}. */
export const httpOptionNames: readonly string[] = ['allowInsecureHttp', 'fetch', 'clock']

/** Checks {@link HttpOptions}. */
export function checkHttp(options: HttpOptions, { check }: OptionChecks): void {
  const { allowInsecureHttp, fetch, clock } = options
  check(
    allowInsecureHttp === undefined || typeof allowInsecureHttp === 'boolean',
    '"allowInsecureHttp" must be true or false',
  )
  check(fetch === undefined || typeof fetch === 'function', '"fetch" must be a function')
  check(clock === undefined || typeof clock?.now === 'function', '"clock" must have "now"')
}

/** What {@link isEndpoint} asks for. */
export const endpointRule =
  'must be an https URL without credentials and fragment (for a test, write "allowInsecureHttp: true")'

/**
 * Tells whether a value is a URL that secrets may be sent to. A query is allowed.
 *
 * @see RFC 6749, "Authorization Endpoint"
 */
export function isEndpoint(value: unknown, { allowInsecureHttp }: HttpOptions): value is string {
  if (typeof value !== 'string' || !URL.canParse(value) || value.includes('#')) return false
  const { protocol, username, password } = new URL(value)
  const isSecure = protocol === 'https:' || (protocol === 'http:' && allowInsecureHttp === true)
  return isSecure && username === '' && password === ''
}

/** One request. */
export interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  /** Who answers, for messages: `the authorization server`. */
  readonly peer: string
}

/**
 * Posts once, follows no redirect, and lets `read` judge the answer. What of the body is left then
 * is not waited for.
 *
 * @throws PeerError `ERR_PEER_UNREACHABLE` without an answer, and what `read` throws
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` for a header field that none can be
 */
export async function post<Result>(
  request: PostRequest,
  { fetch = globalThis.fetch }: HttpOptions,
  read: (response: Response) => Result | Promise<Result>,
): Promise<Result> {
  const { url, body, signal, peer } = request
  const headers = fieldsOf(request)
  const init: RequestInit = { method: 'POST', headers, body, signal, redirect: 'manual' }
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw new PeerError('ERR_PEER_UNREACHABLE', `${peer} gave no answer`, { cause })
  })
  try {
    return await read(response)
  } finally {
    await response.body?.cancel().catch(() => undefined)
  }
}

/** What the runtime says of a field that is wrong shows its value, a secret: nothing of it is kept. */
function fieldsOf({ headers, peer }: PostRequest): Headers {
  try {
    return new Headers(headers)
  } catch {
    throw new OptionsError('authorization', [
      `a header field for ${peer} has characters that no field can have`,
    ])
  }
}

/** What is known about an answer besides its status. */
export interface RefusalContext extends HttpOptions {
  readonly peer: string
  /** What a status means here. */
  readonly advice: Readonly<Record<number, string>>
}

/**
 * Makes the error for an answer that is no success. Where the peer asks for patience, the error's
 * `retryAfterMs` says for how long, in milliseconds.
 */
export function refusal({ status, headers }: Response, context: RefusalContext): PeerError {
  const { peer, advice, clock = systemClock } = context
  const isRedirect = status === 0 || (status >= 300 && status < 400)
  const reason = isRedirect ? 'redirects are not followed' : advice[status]
  const message = `${peer} answered ${status}${reason ? `: ${reason}` : ''}`
  if (status !== 429 && status < 500) return new PeerError('ERR_PEER_ANSWER', message)
  const wait = retryAfterMs(headers.get('retry-after'), clock.now())
  const error = new PeerError('ERR_PEER_UNREACHABLE', message)
  return wait === undefined ? error : Object.assign(error, { retryAfterMs: wait })
}
