import { readBody, retryAfterMs, type Clock } from '@drawbridge/core'
import { PeerError } from '@drawbridge/schema'
import type { Authorize } from './authorize.ts'

/** An answer of the Transmitter that was read. */
export interface PeerAnswer {
  readonly status: number
  /** The JSON body; undefined when there is none or it is no JSON. */
  readonly body: unknown
}

/** The Transmitter could not be reached or asked for patience: trying again can help. */
export class PeerUnavailableError extends PeerError {
  override name = 'PeerUnavailableError'
  /** How long the peer asked to wait, in milliseconds. */
  readonly retryAfterMs?: number
  constructor(message: string, details: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super('ERR_PEER_UNREACHABLE', message, details)
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }
}

/** One request to the Transmitter. */
export interface PeerRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
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
}

/** A poll may carry a hundred SETs; nothing else comes near it. */
const largestAnswer = 8 * 1024 * 1024

/** Makes a {@link Peer} that sends its token only to the issuer's origin and the trusted ones. */
export function createPeer(options: PeerOptions): Peer {
  const trusted = new Set([new URL(options.issuer).origin, ...options.trustedOrigins])

  const checkUrl = (url: string, anonymous: boolean): void => {
    const { protocol, origin } = new URL(url)
    if (protocol !== 'https:' && !(protocol === 'http:' && options.allowInsecureHttp)) {
      throw new PeerError(
        'ERR_PEER_ANSWER',
        'a URL in the metadata of the Transmitter is not https',
      )
    }
    if (!anonymous && !trusted.has(origin)) {
      throw new PeerError(
        'ERR_PEER_ANSWER',
        'the Transmitter names an endpoint at another origin than its own: where that is right, add the origin to "trustedOrigins"',
      )
    }
  }

  const once = async (request: PeerRequest, token: string | undefined): Promise<PeerAnswer> => {
    const timeout = AbortSignal.timeout(request.timeoutMs ?? 10_000)
    let response: Response
    let text: string
    try {
      response = await options.fetch(request.url, {
        method: request.method,
        redirect: 'manual',
        signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
        headers: {
          accept: 'application/json',
          ...(request.body ? { 'content-type': 'application/json' } : {}),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...request.headers,
        },
        ...(request.body ? { body: JSON.stringify(request.body) } : {}),
      })
      const body = await readBody(response, largestAnswer)
      text = body.refused === undefined ? body.text : ''
    } catch (cause) {
      throw new PeerUnavailableError('the Transmitter could not be reached', { cause })
    }
    const { status } = response
    if (status === 429 || status >= 500) {
      throw new PeerUnavailableError(`the Transmitter answered ${status}`, {
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), options.clock.now()),
      })
    }
    return { status, body: parseJson(text) }
  }

  return {
    async request(request) {
      checkUrl(request.url, request.anonymous === true)
      if (request.anonymous) return await once(request, undefined)
      const token = await options.authorize({})
      const answer = await once(request, token)
      if (answer.status !== 401) return answer
      const renewed = await options.authorize({ rejected: token })
      return renewed === token ? answer : await once(request, renewed)
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
