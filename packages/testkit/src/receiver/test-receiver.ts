import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { accept, type PushAnswer } from './faults.ts'
import { readReceived, type ReceivedSet } from './received-set.ts'
import { createWaiting } from './waiting.ts'

/** How a test Receiver listens. */
export interface TestReceiverOptions {
  /** Key and certificate, PEM: then it speaks TLS. Default: it speaks plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** The path it is pushed to. Default `/events`. */
  readonly path?: string
}

/** What a test Receiver got so far. */
export interface ReceiverRecord {
  /** Every push that arrived, in order, whatever was answered. */
  readonly received: readonly ReceivedSet[]
  /** Those that were answered 202, in order. A repeated SET is there twice. */
  readonly accepted: readonly ReceivedSet[]
}

/**
 * A Receiver for tests of a Transmitter: it takes every SET that is pushed to it, unless something
 * else was ordered. What is ordered applies to requests that arrive later.
 */
export interface TestReceiver extends ReceiverRecord {
  /** The `endpoint_url` of the stream. */
  readonly url: string
  /** Answers like this from now on, where nothing below was ordered. */
  answer(answer: PushAnswer): void
  /** Answers the next requests like this, one each, before all other orders. */
  next(...answers: readonly PushAnswer[]): void
  /**
   * Answers like this where the condition holds. Of several rules the newest counts.
   *
   * @returns Ends the rule
   */
  when(condition: (set: ReceivedSet) => boolean, answer: PushAnswer): () => void
  /**
   * Resolves when so many SETs were accepted, or when the condition holds.
   *
   * @throws Error when the Receiver is closed before
   */
  until(wanted: number | ((record: ReceiverRecord) => boolean)): Promise<void>
  /**
   * Accepts connections from now on, but says nothing on them, not even a handshake of TLS.
   *
   * @returns Goes on with all that wait, and with those that come
   */
  holdConnections(): () => void
  /** Breaks all connections and refuses new ones. Idempotent. */
  goDown(): Promise<void>
  /** Listens again, on the same port. Idempotent. */
  comeBack(): Promise<void>
  /** Breaks all connections and ends every waiting {@link TestReceiver.until}. Idempotent. */
  close(): Promise<void>
}

const longestBody = 1024 * 1024

/**
 * Starts a Receiver on the loopback interface, in this process, on a port of its own.
 *
 * @example
 *   const receiver = await createTestReceiver()
 *   receiver.next(tooManyRequests(1), hang)
 *   // create a stream that is pushed to receiver.url, transmit, and then:
 *   await receiver.until(1)
 *   await receiver.close()
 */
export async function createTestReceiver(options: TestReceiverOptions = {}): Promise<TestReceiver> {
  const { tls, path = '/events' } = options
  const received: ReceivedSet[] = []
  const accepted: ReceivedSet[] = []
  const orders = createOrders()
  const waiting = createWaiting()

  const took = (set: ReceivedSet): void => {
    accepted.push(set)
    waiting.look()
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    readBody(request, (body) => {
      const set = readReceived(body, request.headers)
      received.push(set)
      // At once, where it can be: what is accepted next is accepted after it.
      if (isAccepted(response, orders.of(set))) took(set)
      else response.on('finish', () => response.statusCode === 202 && took(set))
      waiting.look()
    })
  }
  const server = tls ? createHttps(tls, onRequest) : createHttp(onRequest)
  const port = createPort((socket) => server.emit('connection', socket))
  await port.open()

  const record: ReceiverRecord = { received, accepted }
  return {
    ...record,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port.number}${path}`,
    answer: orders.answer,
    next: orders.next,
    when: orders.when,
    until: (wanted) =>
      waiting.until(() =>
        typeof wanted === 'number' ? accepted.length >= wanted : wanted(record),
      ),
    holdConnections: port.hold,
    goDown: port.close,
    comeBack: port.open,
    close: async () => {
      waiting.end()
      await port.close()
    },
  }
}

function isAccepted(response: ServerResponse, answer: PushAnswer): boolean {
  answer(response)
  return response.writableEnded && response.statusCode === 202
}

function readBody(request: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length > longestBody) request.destroy()
    else chunks.push(chunk)
  })
  request.on('end', () => done(Buffer.concat(chunks).toString()))
}

interface Orders extends Pick<TestReceiver, 'answer' | 'next' | 'when'> {
  /** What a SET is answered. */
  of(set: ReceivedSet): PushAnswer
}

function createOrders(): Orders {
  let standing: PushAnswer = accept
  const queue: PushAnswer[] = []
  const rules = new Set<{ condition(set: ReceivedSet): boolean; answer: PushAnswer }>()
  return {
    answer: (answer) => void (standing = answer),
    next: (...answers) => void queue.push(...answers),
    when: (condition, answer) => {
      const rule = { condition, answer }
      rules.add(rule)
      return () => void rules.delete(rule)
    },
    of: (set) =>
      queue.shift() ?? [...rules].findLast(({ condition }) => condition(set))?.answer ?? standing,
  }
}

interface Port {
  readonly number: number
  open(): Promise<void>
  close(): Promise<void>
  hold(): () => void
}

/** A port of the loopback interface that can be closed and opened again. */
function createPort(serve: (socket: Socket) => void): Port {
  const sockets = new Set<Socket>()
  let held: Socket[] | undefined
  let number = 0
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A broken connection is what was ordered.
    socket.on('error', () => undefined)
    if (held) held.push(socket)
    else serve(socket)
  })
  return {
    get number() {
      return number
    },
    open: () =>
      new Promise((resolve, reject) => {
        if (listener.listening) return resolve()
        listener.once('error', reject)
        listener.listen(number, '127.0.0.1', () => {
          listener.off('error', reject)
          number = (listener.address() as AddressInfo).port
          resolve()
        })
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        if (listener.listening) listener.close(() => resolve())
        else resolve()
      }),
    hold: () => {
      held ??= []
      return () => {
        const waiting = held ?? []
        held = undefined
        for (const socket of waiting) if (!socket.destroyed) serve(socket)
      }
    },
  }
}
