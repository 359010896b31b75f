import { readBody, type Clock } from '@drawbridge/core'
import { PeerError, readJson } from '@drawbridge/schema'
import { refusal } from '../hooks/ready-made/post.ts'

/** How long an answer may be, in bytes. */
const largestBytes = 262_144

const advice = {
  400: 'it does not take the request',
  401: 'the authorization is not accepted',
  403: 'the authorization is not enough',
  404: 'there is no such endpoint',
}

/** One request to a decision point. */
export interface ExchangeRequest {
  readonly url: string
  readonly init: RequestInit & { readonly headers: Headers }
  readonly signal: AbortSignal
}

/** What makes requests. */
export interface ExchangeSettings {
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
}

/** Told of the status of an answer, before it is judged. */
export type Answered = (status: number) => void

/**
 * Asks once, follows no redirect, and reads the JSON of a 200. An answer to another request, by its
 * `X-Request-ID`, is none.
 *
 * @throws PeerError `ERR_PEER_UNREACHABLE` for 429 and 5xx, `ERR_PEER_ANSWER` for whatever else is
 *   no 200 with JSON; and what `fetch` throws without an answer
 */
export async function exchange(
  { url, init, signal }: ExchangeRequest,
  { fetch, clock }: ExchangeSettings,
  answered: Answered = () => undefined,
): Promise<unknown> {
  const response = await fetch(url, { ...init, redirect: 'manual', signal })
  answered(response.status)
  const failure = failureOf(response, init.headers, clock)
  if (failure) {
    await response.body?.cancel().catch(() => undefined)
    throw failure
  }
  return jsonOf(await readBody(response, largestBytes))
}

const peer = 'the decision point'

function failureOf(response: Response, asked: Headers, clock: Clock): PeerError | undefined {
  if (response.status !== 200) return refusal(response, { peer, advice, clock })
  return isForeign(response, asked) ? noAnswer('is for another "X-Request-ID"') : undefined
}

/** @see OpenID Authorization API 1.0, "Request Identification" */
function isForeign(response: Response, asked: Headers): boolean {
  const id = response.headers.get('x-request-id')
  return id !== null && asked.has('x-request-id') && id !== asked.get('x-request-id')
}

function jsonOf(body: Awaited<ReturnType<typeof readBody>>): unknown {
  if (body.refused === 'too-large') throw noAnswer(`has more than ${largestBytes} bytes`)
  if (body.refused !== undefined) throw noAnswer('is not UTF-8')
  try {
    return readJson(body.text)
  } catch (cause) {
    throw noAnswer('is not JSON', cause)
  }
}

const noAnswer = (why: string, cause?: unknown): PeerError =>
  new PeerError('ERR_PEER_ANSWER', `the answer of ${peer} ${why}`, { cause })

/**
 * Does something for a limited time, whatever it waits for.
 *
 * @throws PeerError `ERR_PEER_UNREACHABLE` when the time is over
 */
export async function within<Result>(
  timeoutMs: number,
  clock: Clock,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const done = new AbortController()
  const late = clock.sleep(timeoutMs, done.signal).then((): never => {
    const error = new PeerError(
      'ERR_PEER_UNREACHABLE',
      `${peer} gave no answer within ${timeoutMs} ms`,
    )
    stop.abort(error)
    throw error
  })
  try {
    return await Promise.race([work(stop.signal), late])
  } finally {
    done.abort()
  }
}
