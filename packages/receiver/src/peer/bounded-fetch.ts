import { readBody, retryAfterMs, type Clock } from '@drawbridge/core'
import { PeerError } from '@drawbridge/schema'
import { PeerUnavailableError } from './peer-unavailable.ts'

/** What an answer may cost. */
export interface FetchLimits {
  /** Whom an error names. */
  readonly who: 'the Transmitter' | 'the authorization server'
  /** How long the whole answer may take, in milliseconds. */
  readonly timeoutMs: number
  /** How long its body may be, in bytes. */
  readonly largestBytes: number
  readonly clock: Clock
}

/**
 * Makes a `fetch` whose answers are there in full when it resolves, within the limits. Redirects
 * are not followed: they are answers like any other. It rejects with PeerUnavailableError for
 * failures of the network, time-outs, 429 and 5xx, and with PeerError `ERR_PEER_ANSWER` for what is
 * too large or leads to an address that is not allowed.
 */
export function boundedFetch(
  fetch: typeof globalThis.fetch,
  limits: FetchLimits,
): typeof globalThis.fetch {
  const { who, timeoutMs, largestBytes, clock } = limits
  return async (input, init = {}) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
    try {
      const response = await fetch(input, { ...init, redirect: 'manual', signal })
      const { status, headers } = response
      const body = await readBody(response, largestBytes)
      if (body.refused === 'too-large') {
        throw new PeerError('ERR_PEER_ANSWER', `${who} answers more than ${largestBytes} bytes`)
      }
      if (status === 429 || status >= 500) {
        throw new PeerUnavailableError(`${who} answered ${status}`, {
          retryAfterMs: retryAfterMs(headers.get('retry-after'), clock.now()),
        })
      }
      return inMemory(status, body.refused === undefined ? body.text : '', [...headers])
    } catch (cause) {
      throw failure(who, cause)
    }
  }
}

const withoutBody = [204, 205, 304]

function inMemory(status: number, text: string, headers: [string, string][]): Response {
  // Status 0 is a redirect, where a runtime hides it.
  if (status === 0) return Response.error()
  return new Response(withoutBody.includes(status) ? null : text, { status, headers })
}

function failure(who: string, cause: unknown): unknown {
  const { code } = cause as { readonly code?: unknown }
  if (code === 'ERR_PEER_ANSWER' || code === 'ERR_PEER_UNREACHABLE') return cause
  if (isRefusedAddress(cause)) {
    return new PeerError(
      'ERR_PEER_ANSWER',
      `a URL of ${who} leads to an address that is not a public one: where that is right, add its host to "allowedHosts"`,
      { cause },
    )
  }
  return new PeerUnavailableError(`${who} could not be reached`, { cause })
}

/** `fetch` gives the error of the socket as the cause of its own. */
function isRefusedAddress(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown }
  return code === 'ERR_ADDRESS_NOT_ALLOWED' || (cause !== undefined && isRefusedAddress(cause))
}
