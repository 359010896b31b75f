import { createServer, type IncomingMessage, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import { toNode } from '@drawbridge/core/node'
import { issSub, opaque, push, type SubjectInput } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  createTransmitter,
  memoryStore,
  permitAll,
  staticTokens,
  type Transmitter,
  type TransmitterEvents,
  type TransmitterOptions,
} from '../src/index.ts'

export const secret = 'a secret of a test, 32 characters and more'

const tokens = [
  { token: 'token-one', id: 'one', audience: 'https://one.example' },
  { token: 'token-two', id: 'two', audience: 'https://two.example' },
  { token: 'token-read', id: 'one', audience: 'https://one.example', scopes: ['ssf.read'] },
]

export const issuer = 'https://idp.example/tenant'

export function makeTransmitter(options: Partial<TransmitterOptions> = {}): Transmitter {
  return createTransmitter({
    issuer,
    secret,
    store: memoryStore(),
    authenticate: staticTokens(tokens),
    permitEvent: permitAll,
    // RSA keys take their time to make; what is tested here is the same with both.
    algorithm: 'ES256',
    allowInsecureHttp: true,
    ...options,
    push: { backoff: { firstMs: 2, longestMs: 10 }, ...options.push },
  })
}

export interface CallOptions {
  readonly body?: unknown
  readonly token?: string | null
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

/** Calls the management API in memory. */
export async function call(
  transmitter: Transmitter,
  route: string,
  { body, token = 'token-one', headers = {}, signal }: CallOptions = {},
): Promise<Response> {
  const [method = 'GET', path = ''] = route.split(' ')
  const request = new Request(path.startsWith('http') ? path : `${issuer}/ssf${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  })
  return transmitter.fetch(request)
}

export async function createStream(transmitter: Transmitter, body: object = {}): Promise<string> {
  const answer = await call(transmitter, 'POST /streams', {
    body: { events_requested: [SessionRevoked.uri], ...body },
  })
  const { stream_id } = (await answer.json()) as { stream_id: string }
  return stream_id
}

export const pushTo = (endpoint_url: string, authorization_header?: string): object => ({
  delivery: {
    method: push,
    endpoint_url,
    ...(authorization_header === undefined ? {} : { authorization_header }),
  },
})

export const user = (sub: string): SubjectInput => ({
  user: issSub('https://idp.example', sub),
  session: opaque(`session of ${sub}`),
})

export async function poll(
  transmitter: Transmitter,
  streamId: string,
  body: object = {},
): Promise<{ sets: Record<string, string>; moreAvailable?: boolean }> {
  const answer = await call(transmitter, `POST /poll/${streamId}`, {
    body: { returnImmediately: true, ...body },
  })
  return (await answer.json()) as { sets: Record<string, string> }
}

export interface Claims {
  readonly iss: string
  readonly aud: string
  readonly iat: number
  readonly jti: string
  readonly txn: string
  readonly sub_id: { readonly id?: string; readonly user?: { readonly sub: string } }
  readonly events: Record<string, { readonly state?: string; readonly n?: number }>
}

export function claimsOf(set: string): Claims {
  return JSON.parse(Buffer.from(set.split('.')[1] ?? '', 'base64url').toString()) as Claims
}

export const subOf = (set: string): string => claimsOf(set).sub_id.user?.sub ?? ''

/** Resolves with the next event of a name for which the condition holds. */
export function nextEvent<Name extends keyof TransmitterEvents>(
  transmitter: Transmitter,
  name: Name,
  condition: (event: TransmitterEvents[Name]) => boolean = () => true,
): Promise<TransmitterEvents[Name]> {
  return new Promise((resolve) => {
    const listener = (event: TransmitterEvents[Name]): void => {
      if (!condition(event)) return
      transmitter.events.off(name, listener)
      resolve(event)
    }
    transmitter.events.on(name, listener)
  })
}

/** Resolves when an event has come so many times. */
export function countEvents(
  transmitter: Transmitter,
  name: keyof TransmitterEvents,
  count: number,
): Promise<unknown> {
  let seen = 0
  return nextEvent(transmitter, name, () => ++seen === count)
}

export interface Received {
  readonly headers: IncomingMessage['headers']
  readonly method: string | undefined
  readonly set: string
}

export interface Endpoint {
  readonly url: string
  readonly received: Received[]
  close(): Promise<void>
}

export interface PushAnswer {
  readonly status: number
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** A Receiver's push endpoint on a real socket. `hang` answers never. */
export async function pushEndpoint(
  respond: (
    received: Received,
    count: number,
  ) => PushAnswer | 'hang' | Promise<PushAnswer | 'hang'> = () => ({ status: 202 }),
): Promise<Endpoint> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { headers, method } = request
      const one = { headers, method, set: Buffer.concat(chunks).toString() }
      received.push(one)
      void Promise.resolve(respond(one, received.length)).then((answer) => {
        if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(answer.body)
      })
    })
  })
  const url = `${await listen(server)}/events`
  return { url, received, close: () => close(server) }
}

/** Serves a Transmitter on a real socket. */
export async function serve(transmitter: Transmitter): Promise<Endpoint> {
  const server = createServer(toNode(transmitter))
  return { url: await listen(server), received: [], close: () => close(server) }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => void server.close(resolve))
}

const folders: string[] = []

// A hook of whichever test file imports this.
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

export async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-'))
  folders.push(folder)
  return join(folder, 'signals.db')
}
