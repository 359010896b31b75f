import type { Clock } from '@drawbridge/core'
import { PeerError } from '@drawbridge/schema'
import type { Authorize } from './authorize.ts'
import { boundedFetch } from './bounded-fetch.ts'

/** An answer of the Transmitter that was read. */
export interface PeerAnswer {
  readonly status: number
  /** The JSON body; undefined when there is none or it is no JSON. */
  readonly body: unknown
}

/** One request to the Transmitter. */
export interface PeerRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly url: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Sends no access token: public metadata. */
  readonly anonymous?: boolean
  /** How long to wait for the answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

/** Talks HTTP and JSON to one Transmitter. */
export interface Peer {
  /**
   * Makes a request and reads the answer, whatever its status below 500 (429 aside).
   *
   * @throws PeerUnavailableError for network failures, time-outs, 429 and 5xx
   */
  request(request: PeerRequest): Promise<PeerAnswer>
}

/** What {@link createPeer} needs. */
export interface PeerOptions {
  readonly issuer: string
  readonly authorize: Authorize
  readonly trustedOrigins: readonly string[]
  readonly allowInsecureHttp: boolean
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  /** Whether scopes are looked for in the metadata of the Transmitter as a protected resource. */
  readonly resourceMetadata: boolean
}

/** A poll may carry a hundred SETs; nothing else comes near it. */
const largestAnswer = 8 * 1024 * 1024

/** Makes a {@link Peer} that sends its token only to the issuer's origin and the trusted ones. */
export function createPeer(options: PeerOptions): Peer {
  const trustedOrigins = [new URL(options.issuer).origin, ...options.trustedOrigins]

  const checkUrl = (url: string, anonymous: boolean): void => {
    const { protocol, origin } = new URL(url)
    if (protocol !== 'https:' && !(protocol === 'http:' && options.allowInsecureHttp)) {
      throw new PeerError(
        'ERR_PEER_ANSWER',
        'a URL in the metadata of the Transmitter is not https',
      )
    }
    if (!anonymous && !trustedOrigins.includes(origin)) {
      throw new PeerError(
        'ERR_PEER_ANSWER',
        'the Transmitter names an endpoint at another origin than its own: where that is right, add the origin to "trustedOrigins"',
      )
    }
  }

  const once = async (request: PeerRequest, token: string | undefined): Promise<PeerAnswer> => {
    const { method, url, body, signal, timeoutMs = 10_000 } = request
    const fetch = boundedFetch(options.fetch, {
      who: 'the Transmitter',
      timeoutMs,
      largestBytes: largestAnswer,
      clock: options.clock,
    })
    const response = await fetch(url, {
      method,
      ...(signal ? { signal } : {}),
      headers: {
        accept: 'application/json',
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...request.headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, body: parseJson(await response.text()) }
  }

  const tokenFor = async ({ url, signal }: PeerRequest, rejected?: string): Promise<string> => {
    const { issuer, fetch, clock, allowInsecureHttp, resourceMetadata } = options
    const context = { issuer, url, trustedOrigins, fetch, clock, allowInsecureHttp }
    return await untilAborted(
      options.authorize({
        ...context,
        resourceMetadata,
        ...(rejected === undefined ? {} : { rejected }),
      }),
      signal,
    )
  }

  return {
    async request(request) {
      checkUrl(request.url, request.anonymous === true)
      if (request.anonymous) return await once(request, undefined)
      const token = await tokenFor(request)
      const answer = await once(request, token)
      if (answer.status !== 401) return answer
      const renewed = await tokenFor(request, token)
      return renewed === token ? answer : await once(request, renewed)
    },
  }
}

/** Several may wait for one token: whoever is broken off leaves the others to it. */
async function untilAborted<Value>(
  value: Value | Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (!signal) return await value
  let abort = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason as Error)
  })
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([value, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
