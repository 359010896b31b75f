import { setMediaType } from '@drawbridge/schema'
import type { Secret } from '@drawbridge/core'
import { createSocketGuard, type OutgoingRules } from '@drawbridge/core/outgoing'
import { EventEmitter } from 'node:events'
import { rootCertificates } from 'node:tls'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { Answer } from './verdict.ts'

/** Where the SETs of a stream are pushed to. */
export interface PushTarget {
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** The outgoing connections of a Transmitter. */
export interface Poster {
  /** Pushes one SET. Never rejects: no answer is an answer of status 0. */
  post(target: PushTarget, set: string): Promise<Answer>
  /** Breaks off what is under way and closes all connections. */
  destroy(): Promise<void>
}

const longestBody = 4096

/** Reads an endpoint once, so that an attempt does not. */
export function pushTarget(endpoint: string, authorization?: Secret): PushTarget {
  const { origin, pathname, search } = new URL(endpoint)
  return {
    origin,
    path: pathname + search,
    headers: {
      'content-type': setMediaType,
      accept: 'application/json',
      ...(authorization ? { authorization: authorization.reveal() } : {}),
    },
  }
}

/** What a {@link Poster} keeps to. */
export interface PosterOptions extends OutgoingRules {
  /** How long an attempt may take in all. */
  readonly timeoutMs: number
  /** Authorities that are trusted besides those that Node comes with, in PEM; empty where none. */
  readonly ca: string
}

/**
 * Makes a poster: connections are kept and shared by origin, redirects are not followed. A Receiver
 * chooses the endpoint, so every connection is guarded.
 *
 * @see RFC 8935, "Transmitting a SET"; "TLS Support Considerations"
 */
export function createPoster({ timeoutMs, ca, ...rules }: PosterOptions): Poster {
  const guard = createSocketGuard(rules)
  const connect = buildConnector({
    timeout: timeoutMs,
    lookup: guard.lookup,
    // Written out: environment variables and flags of Node must not take them away.
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(ca === '' ? {} : { ca: [...rootCertificates, ca] }),
  })
  const agent = new Agent({
    connect: (options, done) => {
      const refused = guard.refuses(options.hostname)
      if (refused) done(refused, null)
      else connect(options, done)
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  return {
    post: async ({ origin, path, headers }, set) => {
      // Undici takes it for a signal, and it costs less than one.
      const signal = new EventEmitter()
      let isOver = false
      // The time-outs of undici are for each step: a peer that drips would pass them all.
      const timer = setTimeout(() => {
        isOver = true
        signal.emit('abort')
      }, timeoutMs)
      try {
        return await answerOf(
          await agent.request({ origin, path, method: 'POST', headers, body: set, signal }),
        )
      } catch (error) {
        return { status: 0, body: '', failure: failureOf(error, isOver) }
      } finally {
        clearTimeout(timer)
      }
    },
    destroy: () => agent.destroy(),
  }
}

async function answerOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
  const retryAfter = headers['retry-after']
  const text = statusCode === 202 ? await body.dump({ limit: longestBody }) : await start(body)
  return {
    status: statusCode,
    body: text ?? '',
    ...(typeof retryAfter === 'string' ? { retryAfter } : {}),
  }
}

/** The first bytes of a body. Leaving the loop early closes the connection. */
async function start(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.byteLength
    if (length >= longestBody) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, longestBody)
}

function failureOf(error: unknown, timedOut: boolean): string {
  if (timedOut) return 'no complete answer in time'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? `no answer: ${code}` : 'no answer'
}
