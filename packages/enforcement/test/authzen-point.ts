import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach } from '@jest/globals'
import {
  createDecisionPoint,
  type DecisionPoint,
  type DecisionPointOptions,
  type EvaluationRequest,
} from '@drawbridge/enforcement/authzen'

/** What a decision point was asked. */
export interface Asked {
  readonly method: string | undefined
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

export type Respond = (response: ServerResponse, asked: Asked) => void

/** A small AuthZEN decision point on loopback, that answers as it is told. */
export interface TestPoint {
  /** Its identifier. */
  readonly url: string
  /** The evaluations it was asked for, in order. */
  readonly asked: Asked[]
  /** How often its metadata were read. */
  metadataReads: number
  /** What it answers to evaluations. */
  respond: Respond
  /** Its metadata; undefined: there are none. */
  metadata: Record<string, unknown> | undefined
  /** Resolves when the next evaluation has arrived. */
  arrival(): Promise<void>
  stop(): Promise<void>
}

const points = new Set<TestPoint>()
afterEach(async () => {
  await Promise.all([...points].map((point) => point.stop()))
  points.clear()
})

export async function startedPoint(
  respond: Respond = decides(true),
  path = '',
): Promise<TestPoint> {
  const arrivals = new EventEmitter()
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url = '', headers } = request
      if (method === 'GET') {
        if (url !== `/.well-known/authzen-configuration${path}`) return status(404)(response)
        point.metadataReads++
        return point.metadata ? json(response, point.metadata) : status(404)(response)
      }
      const asked = { method, path: url, headers, body: JSON.parse(body) as unknown }
      point.asked.push(asked)
      point.respond(response, asked)
      arrivals.emit('arrival')
      return undefined
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const point: TestPoint = {
    url,
    asked: [],
    metadataReads: 0,
    respond,
    metadata: {
      policy_decision_point: url,
      access_evaluation_endpoint: `${url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${url}/access/v1/evaluations`,
    },
    arrival: async () => void (await once(arrivals, 'arrival')),
    stop: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  points.add(point)
  return point
}

/** A client of a test point. */
export const clientOf = (
  { url }: TestPoint,
  options: Partial<DecisionPointOptions> = {},
): DecisionPoint =>
  createDecisionPoint({ url, onError: 'deny', allowInsecureHttp: true, ...options })

export function json(response: ServerResponse, value: unknown, headers: object = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
}

export const status =
  (code: number, headers: Record<string, string> = {}): ((response: ServerResponse) => void) =>
  (response) =>
    void response.writeHead(code, headers).end()

/** Decides so, for each thing that is asked. */
export const decides =
  (decision: unknown, context?: object): Respond =>
  (response, { headers, body }) => {
    const one = { decision, ...(context && { context }) }
    const { evaluations } = body as { evaluations?: unknown[] }
    const answer = evaluations ? { evaluations: evaluations.map(() => one) } : one
    json(response, answer, { 'x-request-id': headers['x-request-id'] })
  }

/** Alice wants to do something to a file. */
export const wants = (
  name = 'write',
  id = '7',
  context?: Record<string, unknown>,
): EvaluationRequest => ({
  subject: { type: 'user', id: 'alice' },
  resource: { type: 'file', id },
  action: { name },
  ...(context && { context }),
})
