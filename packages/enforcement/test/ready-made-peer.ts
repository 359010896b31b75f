import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach } from '@jest/globals'
import { complex } from '@drawbridge/schema'
import { fold, readSession, type HookCall } from '@drawbridge/enforcement'
import { alice, idp, laptop, noon } from './signals.ts'

/** What a peer was asked. */
export interface Asked {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real HTTP server on loopback. */
export interface HttpPeer {
  readonly url: string
  readonly asked: Asked[]
  /** Resolves when no answer is under way any more, finished or broken off. */
  idle(): Promise<void>
}

export type Answer = (response: ServerResponse, asked: Asked) => void

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Starts a peer that answers as it is told, and is closed after the test. */
export async function peerThat(answer: Answer): Promise<HttpPeer> {
  const asked: Asked[] = []
  const underWay = new Set<Promise<unknown>>()
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request
    const over = new Promise((resolve) => response.on('close', resolve))
    underWay.add(over)
    void over.then(() => underWay.delete(over))
    void text(request).then((body) => {
      const one = { method, path, headers, body }
      asked.push(one)
      answer(response, one)
    })
  })
  server.listen(0, '127.0.0.1')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const idle = async (): Promise<void> => void (await Promise.all(underWay))
  return { url: `http://127.0.0.1:${port}/endpoint`, asked, idle }
}

/** Answers with a status, and perhaps JSON and header fields. */
export const status =
  (code: number, body?: object, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(code, { ...headers, ...(body && { 'content-type': 'application/json' }) })
    response.end(body && JSON.stringify(body))
  }

/** Answers with a status, and then with bytes without end. */
export const endless =
  (code: number): Answer =>
  (response) => {
    response.writeHead(code, { 'content-type': 'application/json' })
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more).on('error', () => undefined)
    more()
  }

/** Never answers. */
export const silence: Answer = () => undefined

/** A call of a hook: all of Alice's sessions were cut at noon, unless said otherwise. */
export const callWith = (parts: Partial<HookCall> = {}): HookCall => ({
  name: 'terminate',
  takesFrom: (who) => {
    const { subject, ...entry } = callWith(parts)
    return fold([{ ...entry, on: subject }], readSession(who, 30), noon).taken.length > 0
  },
  key: '["terminate","https://idp.example","jti-1","session-revoked"]',
  subject: complex({ user: alice }),
  effect: 'terminate',
  terms: {},
  cause: { iss: idp, name: 'session-revoked', type: 'urn:example', jti: 'jti-1', iat: noon },
  since: noon,
  reaches: 'began-before',
  kinds: ['human', 'service', 'agent', 'apiKey'],
  sessions: () => Promise.resolve([]),
  signal: new AbortController().signal,
  ...parts,
})

/** A call about a device and nothing else. */
export const deviceCall = (): HookCall => callWith({ subject: complex({ device: laptop }) })

/** What a promise rejects with. */
export async function failureOf(work: unknown): Promise<Failure> {
  try {
    await work
  } catch (error) {
    return error as Failure
  }
  throw new Error('it did not fail')
}

export interface Failure extends Error {
  readonly code?: string
  readonly errors: readonly Failure[]
  readonly retryAfterMs?: number
}
