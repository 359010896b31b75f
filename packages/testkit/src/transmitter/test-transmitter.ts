import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { push, type Subject } from '@drawbridge/schema'
import { Verification } from '@drawbridge/schema/ssf'
import type { PushAnswer } from '../receiver/faults.ts'
import { createTestKeys, type TestAlgorithm } from './test-keys.ts'
import { createTestStreams, type TestStream } from './test-streams.ts'

/** How a test Transmitter begins. */
export interface TestTransmitterOptions {
  /** How SETs are signed. Default: ES256. */
  readonly algorithm?: TestAlgorithm
  /** The `aud` of SETs. Default: `https://receiver.example`. */
  readonly audience?: string
}

/** A request that a test Transmitter got. */
export interface TestRequest {
  /** Method and path: `POST /streams`. */
  readonly line: string
  readonly headers: IncomingMessage['headers']
  /** The parsed JSON body; an empty object where there is none. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What a test changes about a SET. Without changes it is a good one about somebody new. */
export interface SetChanges {
  /** The event type URI. Default: CAEP session-revoked. */
  readonly type?: string
  readonly payload?: object
  readonly subject?: Subject
  /** Claims that are changed or added; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Members of the header that are changed or added: an unknown `kid`, a wrong `typ`. */
  readonly header?: Readonly<Record<string, unknown>>
  /** So many bytes are added to the claims. */
  readonly paddingBytes?: number
}

/** What became of a SET that was sent: the status of the push, or that it waits for a poll. */
export type Sent = number | 'offered' | 'unreachable'

/**
 * A Transmitter for tests of a Receiver, with the whole management API: everything goes well,
 * unless something else was ordered.
 */
export interface TestTransmitter {
  readonly issuer: string
  /** Every request that came, in order. */
  readonly requests: readonly TestRequest[]
  /** The streams that Receivers made. */
  readonly streams: readonly TestStream[]
  /** Makes and signs a SET. */
  sign(changes?: SetChanges): string
  /** Signs any text in the place of claims. */
  signText(text: string, header?: Readonly<Record<string, unknown>>): string
  /**
   * Sends a SET over the newest stream, or another: pushes it at once, or offers it to polls until
   * it is acknowledged. Call it twice for a duplicate, in another order for a reordering.
   */
  send(set?: string | SetChanges, streamId?: string): Promise<Sent>
  /** Answers the next requests of a line like this, one each: `next('GET /jwks', hang)`. */
  next(line: string, ...answers: readonly PushAnswer[]): void
  /**
   * Answers every request of a line like this.
   *
   * @returns Ends it
   */
  always(line: string, answer: PushAnswer): () => void
  /** Refuses the access tokens of the next requests with 401, as expired ones. */
  expireTokens(requests?: number): void
  /** Signs with a new key from now on. The old one stays published, unless `dropOld`. */
  rotateKeys(options?: { readonly dropOld?: boolean }): void
  /** The clock of this Transmitter goes wrong by so many seconds from now on. */
  skewClock(seconds: number): void
  /**
   * Resolves with the first request of a line, from the beginning on, for which the condition
   * holds.
   */
  requested(line: string, condition?: (request: TestRequest) => boolean): Promise<TestRequest>
  /** Breaks all connections. Idempotent. */
  close(): Promise<void>
}

const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const pathOfStream = /^\/poll\/([\w-]+)$/

/**
 * Starts a Transmitter on the loopback interface, in this process, on a port of its own.
 *
 * @example
 *   const transmitter = await createTestTransmitter({ audience: 'https://app.example' })
 *   transmitter.next('GET /jwks', answerStatus(500))
 *   // make a Receiver for transmitter.issuer, await start() and verified(), and then:
 *   await transmitter.send({ subject: opaque('session-1') })
 *   await transmitter.close()
 */
export async function createTestTransmitter(
  options: TestTransmitterOptions = {},
): Promise<TestTransmitter> {
  const { algorithm = 'ES256', audience = 'https://receiver.example' } = options
  const keys = createTestKeys(algorithm)
  const requests: TestRequest[] = []
  const watchers = new Set<() => void>()
  const orders = createOrders()
  const waiting = new Map<string, Set<() => void>>()
  let skewSeconds = 0
  let expired = 0

  const server = createServer((message, response) => {
    void readJson(message).then((body) => serve(message, response, body))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const streams = createTestStreams(issuer, audience, (stream, state) => {
    const payload = state === undefined ? {} : { state }
    const subject = { format: 'opaque' as const, id: stream.stream_id }
    void send({ type: Verification.uri, payload, subject }, stream.stream_id)
  })

  const sign: TestTransmitter['sign'] = (changes = {}) => {
    const { type = sessionRevoked, payload = {}, claims = {}, header, paddingBytes = 0 } = changes
    const subject = changes.subject ?? { format: 'opaque', id: crypto.randomUUID() }
    const set = {
      iss: issuer,
      aud: audience,
      iat: Math.floor(Date.now() / 1000) + skewSeconds,
      jti: crypto.randomUUID(),
      txn: crypto.randomUUID(),
      sub_id: subject,
      events: { [type]: payload },
      ...claims,
      ...(paddingBytes > 0 ? { padding: 'x'.repeat(paddingBytes) } : {}),
    }
    return keys.sign(JSON.stringify(set), header)
  }

  const send: TestTransmitter['send'] = async (set = {}, streamId) => {
    const token = typeof set === 'string' ? set : sign(set)
    const stream = streamId === undefined ? streams.list().at(-1) : streams.find(streamId)
    if (!stream) throw new Error('no Receiver has made that stream yet: await its start() first')
    if (stream.delivery.method === push) return pushTo(stream, token)
    stream.offered.set(jtiOf(token), token)
    for (const look of waiting.get(stream.stream_id) ?? []) look()
    return 'offered'
  }

  const pollOf = async (
    stream: TestStream,
    body: TestRequest['body'],
    message: IncomingMessage,
  ): Promise<object> => {
    const { offered, stream_id } = stream
    const { ack = [], setErrs = {}, maxEvents, returnImmediately } = body
    for (const jti of [...(ack as string[]), ...Object.keys(setErrs as object)]) offered.delete(jti)
    const mayWait = returnImmediately !== true && maxEvents !== 0
    if (offered.size === 0 && mayWait) {
      const room = waiting.get(stream_id) ?? new Set()
      waiting.set(stream_id, room)
      await new Promise<void>((resolve) => {
        room.add(resolve)
        message.once('close', resolve)
      })
    }
    const limit = typeof maxEvents === 'number' ? maxEvents : Infinity
    return { sets: Object.fromEntries([...offered].slice(0, limit)) }
  }

  async function serve(
    message: IncomingMessage,
    response: ServerResponse,
    body: TestRequest['body'],
  ): Promise<void> {
    const { pathname: path, searchParams } = new URL(message.url ?? '/', issuer)
    const method = message.method ?? 'GET'
    const line = `${method} ${path}`
    requests.push({ line, headers: message.headers, body })
    for (const look of watchers) look()
    const ordered = orders.of(line)
    if (ordered) return ordered(response)
    const answer = (status: number, value?: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(value === undefined ? undefined : JSON.stringify(value))
    }
    if (line === 'GET /.well-known/ssf-configuration') return answer(200, metadataOf(issuer))
    if (line === 'GET /jwks') return answer(200, keys.jwks())
    if (message.headers.authorization === undefined || expired > 0) {
      expired = Math.max(0, expired - 1)
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"')
      return answer(401, { err: 'authentication_failed' })
    }
    const polled = streams.find(pathOfStream.exec(path)?.[1])
    if (polled && method === 'POST') return answer(200, await pollOf(polled, body, message))
    const { stream_id } = body
    const streamId = searchParams.get('stream_id') ?? (stream_id as string | undefined)
    const managed = streams.answer({ method, path, streamId, body })
    answer(managed?.status ?? 404, managed?.body)
  }

  return {
    issuer,
    requests,
    get streams() {
      return streams.list()
    },
    sign,
    signText: keys.sign,
    send,
    next: orders.next,
    always: orders.always,
    expireTokens: (count = 1) => void (expired += count),
    rotateKeys: keys.rotate,
    skewClock: (seconds) => void (skewSeconds = seconds),
    requested: (line, condition = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = requests.find((one) => one.line === line && condition(one))
          if (!found) return
          watchers.delete(look)
          resolve(found)
        }
        watchers.add(look)
        look()
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const metadataOf = (issuer: string): object => ({
  issuer,
  spec_version: '1_0',
  jwks_uri: `${issuer}/jwks`,
  delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
  configuration_endpoint: `${issuer}/streams`,
  status_endpoint: `${issuer}/status`,
  add_subject_endpoint: `${issuer}/subjects:add`,
  remove_subject_endpoint: `${issuer}/subjects:remove`,
  verification_endpoint: `${issuer}/verify`,
  authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
  default_subjects: 'ALL',
})

/** What was ordered for which requests. */
function createOrders(): Pick<TestTransmitter, 'next' | 'always'> & {
  of(line: string): PushAnswer | undefined
} {
  const queues = new Map<string, PushAnswer[]>()
  const rules = new Map<string, PushAnswer>()
  return {
    next: (line, ...answers) => void queues.set(line, [...(queues.get(line) ?? []), ...answers]),
    always: (line, answer) => {
      rules.set(line, answer)
      return () => {
        if (rules.get(line) === answer) rules.delete(line)
      }
    },
    of: (line) => queues.get(line)?.shift() ?? rules.get(line),
  }
}

async function pushTo(
  { delivery, authorizationHeader: header }: TestStream,
  set: string,
): Promise<Sent> {
  try {
    const response = await fetch(delivery.endpoint_url, {
      method: 'POST',
      body: set,
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...(header === undefined ? {} : { authorization: header }),
      },
    })
    await response.arrayBuffer()
    return response.status
  } catch {
    return 'unreachable'
  }
}

/** The name under which a poll offers a SET: what is no SET gets one too. */
function jtiOf(set: string): string {
  try {
    const claims = JSON.parse(Buffer.from(set.split('.')[1] ?? '', 'base64url').toString()) as {
      jti?: unknown
    }
    if (typeof claims.jti === 'string') return claims.jti
  } catch {
    // Garbage is sent as it is.
  }
  return crypto.randomUUID()
}

async function readJson(message: IncomingMessage): Promise<TestRequest['body']> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  try {
    return JSON.parse(Buffer.concat(chunks).toString() || '{}') as TestRequest['body']
  } catch {
    return {}
  }
}
