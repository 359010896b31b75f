import { createServer } from 'node:http'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { issSub } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  createTransmitter,
  memoryStore,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'

const waiters = 2_000
const headers = { authorization: 'Bearer token', 'content-type': 'application/json' }

let transmitter: Transmitter
let server: ReturnType<typeof createServer>
let origin: string
let agent: Agent
let arrived: number
let onArrived: () => void

beforeEach(async () => {
  arrived = 0
  onArrived = () => undefined
  server = createServer((incoming, outgoing) => {
    toNode(transmitter)(incoming, outgoing)
    arrived++
    onArrived()
  })
  // A connection that is idle between two polls is not to be closed under the second.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  transmitter = createTransmitter({
    issuer: origin,
    secret: 'a secret for a test, 32 characters or more',
    store: memoryStore(),
    authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'app' }]),
    permitEvent: permitAll,
    allowInsecureHttp: true,
    algorithm: 'ES256',
  })
  await transmitter.start()
  agent = new Agent({ keepAlive: true, maxSockets: Infinity })
})
afterEach(async () => {
  agent.destroy()
  await transmitter.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function createStream(): Promise<string> {
  const body = JSON.stringify({ events_requested: [SessionRevoked.uri] })
  const init = { method: 'POST', headers, body }
  const answer = await transmitter.fetch(new Request(`${origin}/ssf/streams`, init))
  if (answer.status !== 201) throw new Error(await answer.text())
  const { delivery } = (await answer.json()) as { delivery: { endpoint_url: string } }
  return delivery.endpoint_url
}

/** Polls over a socket of its own. */
const poll = (endpoint: string, ack: readonly string[]): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const polling = request(endpoint, { method: 'POST', headers, agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const { sets } = JSON.parse(Buffer.concat(chunks).toString()) as { sets: object }
        resolve(Object.keys(sets))
      })
    })
    polling.on('error', reject)
    polling.end(JSON.stringify({ ack }))
  })

/** Resolves when so many SETs were acknowledged. */
const acknowledge = (count: number): Promise<void> =>
  new Promise((resolve) => {
    let left = count
    transmitter.events.on('set:delivered', () => --left === 0 && resolve())
  })

/** Resolves when so many requests have arrived at the server since a moment. */
const arrive = (count: number): Promise<void> =>
  new Promise((resolve) => {
    onArrived = () => arrived >= count && resolve()
    onArrived()
  })

describe(`${waiters} long polls`, () => {
  it('wait at the same time, get their event together, and end when the Transmitter stops', async () => {
    const endpoints: string[] = []
    for (let n = 0; n < waiters; n++) endpoints.push(await createStream())
    const first = endpoints.map((endpoint) => poll(endpoint, []))
    await arrive(waiters)
    await transmitter.transmit(SessionRevoked, { user: issSub(origin, 'alice') }, {})
    const offered = await Promise.all(first)
    expect(new Set(offered.flat()).size).toBe(waiters)
    expect(offered.every((jtis) => jtis.length === 1)).toBe(true)
    const acknowledged = acknowledge(waiters)
    const second = endpoints.map((endpoint, n) => poll(endpoint, offered[n] ?? []))
    await acknowledged
    // What was acknowledged last begins to wait in the same turn.
    await new Promise((resolve) => setImmediate(resolve))
    await transmitter.stop()
    expect((await Promise.all(second)).flat()).toEqual([])
  })
})
