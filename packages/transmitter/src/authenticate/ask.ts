import { readBody } from '@drawbridge/core'
import { isObject, PeerError, readJson } from '@drawbridge/schema'

/** How an authorization server is asked. */
export interface AskOptions {
  readonly fetch: typeof globalThis.fetch
  /** How long the whole answer may take, in milliseconds. */
  readonly timeoutMs: number
}

/** An answer of a few KiB is what is due. */
const largestAnswer = 256 * 1024

/**
 * Asks an authorization server for a JSON object, within bounded time. Redirects are not followed.
 *
 * @returns Undefined where it answers 404
 * @throws PeerError `ERR_PEER_UNREACHABLE` when it does not answer in time, or with 429 or 5xx;
 *   `ERR_PEER_ANSWER` when what it answers is of no use
 */
export async function ask(
  url: string,
  { fetch, timeoutMs }: AskOptions,
  init: RequestInit = {},
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { status, text } = await exchange(() => {
    const signal = AbortSignal.timeout(timeoutMs)
    return fetch(url, { ...init, redirect: 'manual', signal })
  })
  if (status === 404) return undefined
  if (status === 429 || status >= 500) throw unreachable(`answered ${status}`)
  if (status !== 200) throw unusable(`answered ${status} where 200 is due`)
  return jsonObject(text)
}

/** The status and the text of an answer. What is too large, or no UTF-8, counts as empty. */
async function exchange(
  send: () => Promise<Response>,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await send()
    const body = await readBody(response, largestAnswer)
    return { status: response.status, text: body.refused === undefined ? body.text : '' }
  } catch (cause) {
    throw unreachable('could not be reached', cause)
  }
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = readJson(text)
  } catch (cause) {
    throw unusable('did not answer with JSON', cause)
  }
  if (isObject(value)) return value
  throw unusable('did not answer with a JSON object')
}

const unreachable = (what: string, cause?: unknown): PeerError =>
  new PeerError('ERR_PEER_UNREACHABLE', `the authorization server ${what}`, { cause })

/** An answer that helps nobody: whether a token is good is not known then. */
export const unusable = (what: string, cause?: unknown): PeerError =>
  new PeerError('ERR_PEER_ANSWER', `the authorization server ${what}`, { cause })
