import type { IncomingMessage } from 'node:http'
import { IncomingHeaders } from './incoming-headers.ts'
import { chunksOf } from './read-body.ts'

/**
 * A message of `node:http` as a `Request`. The platform makes a list of header fields, a stream and
 * a signal for each `Request`, which costs several times the rest of it: here they are made when
 * somebody asks for them, and `readBody` takes the bytes from the message itself.
 *
 * It has every member, and `instanceof` knows it. What the platform itself wants a `Request` for,
 * as `new Request(request)` does, is done with its `clone()`.
 */
export class IncomingRequest implements Request {
  readonly url: string
  readonly method: string
  readonly hasBody: boolean
  readonly #message: IncomingMessage
  #headers: Headers | undefined
  #gone: AbortController | undefined
  #aborted = false
  #whole: Request | undefined
  #reading: Reading | undefined

  constructor(url: string, message: IncomingMessage) {
    const method = message.method ?? 'GET'
    // As the platform does: nothing behind HTTP is to answer what is meant for a proxy.
    if (forbiddenMethods.has(method)) throw new TypeError(`"${method}" is no method of a Request`)
    this.method = method
    this.url = url
    this.#message = message
    this.hasBody = method !== 'GET' && method !== 'HEAD'
  }

  /** Says that the peer is gone. */
  abort(): void {
    this.#aborted = true
    this.#gone?.abort()
  }

  /** Ends the body for whoever still reads it. */
  abandon(): void {
    this.#reading?.fail('the request was answered before its body was read')
  }

  /** The fast way of `readBody`: no stream in between. */
  async chunksAtMost(limit: number): Promise<readonly Uint8Array[] | undefined> {
    if (!this.hasBody) return []
    if (this.#reading) return await chunksOf(this.#complete().body, limit)
    return await new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = []
      let length = 0
      const reading = read(this.#message, {
        chunk: (chunk) => {
          length += chunk.byteLength
          if (length <= limit) return void chunks.push(chunk)
          reading.release()
          resolve(undefined)
        },
        end: () => {
          // A request may wait for long, and nobody needs its bytes for that.
          this.#reading = wasRead
          resolve(chunks)
        },
        fail: reject,
      })
      this.#reading = reading
      this.#message.resume()
    })
  }

  get headers(): Headers {
    this.#headers ??= new IncomingHeaders(this.#message.rawHeaders)
    return this.#headers
  }
  get signal(): AbortSignal {
    this.#gone ??= new AbortController()
    if (this.#aborted) this.#gone.abort()
    return this.#gone.signal
  }
  get body(): Request['body'] {
    return this.#complete().body
  }
  get bodyUsed(): boolean {
    return this.#whole ? this.#whole.bodyUsed : this.#reading !== undefined
  }
  arrayBuffer(): ReturnType<Request['arrayBuffer']> {
    return this.#complete().arrayBuffer()
  }
  blob(): ReturnType<Request['blob']> {
    return this.#complete().blob()
  }
  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer())
  }
  formData(): ReturnType<Request['formData']> {
    return this.#complete().formData()
  }
  json(): ReturnType<Request['json']> {
    return this.#complete().json()
  }
  text(): ReturnType<Request['text']> {
    return this.#complete().text()
  }
  clone(): Request {
    return this.#complete().clone()
  }
  get cache(): Request['cache'] {
    return this.#complete().cache
  }
  get credentials(): Request['credentials'] {
    return this.#complete().credentials
  }
  get destination(): Request['destination'] {
    return this.#complete().destination
  }
  get duplex(): Request['duplex'] {
    return this.#complete().duplex
  }
  get integrity(): string {
    return this.#complete().integrity
  }
  get keepalive(): boolean {
    return this.#complete().keepalive
  }
  get mode(): Request['mode'] {
    return this.#complete().mode
  }
  get redirect(): Request['redirect'] {
    return this.#complete().redirect
  }
  get referrer(): string {
    return this.#complete().referrer
  }
  get referrerPolicy(): Request['referrerPolicy'] {
    return this.#complete().referrerPolicy
  }

  #complete(): Request {
    const { method, headers, signal, hasBody } = this
    this.#whole ??= new Request(this.url, {
      method,
      headers,
      signal,
      ...(hasBody && { body: this.#stream(), duplex: 'half' }),
    })
    return this.#whole
  }

  /**
   * The body as it arrives. Unlike with `Readable.toWeb`, to cancel it leaves the connection open:
   * the peer must still hear why its body was refused.
   */
  #stream(): ReadableStream<Uint8Array> {
    const message = this.#message
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#reading = read(message, {
          chunk: (chunk) => {
            controller.enqueue(chunk)
            if ((controller.desiredSize ?? 0) <= 0) message.pause()
          },
          end: () => controller.close(),
          fail: (error) => controller.error(error),
        })
        message.pause()
      },
      pull: () => void message.resume(),
      cancel: () => this.#reading?.release(),
    })
  }
}

Object.setPrototypeOf(IncomingRequest.prototype, Request.prototype)

/** @see Fetch Standard, "Methods": forbidden methods */
const forbiddenMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** Who is told what becomes of a body: of its end or its failure, once. */
interface Reader {
  chunk(bytes: Uint8Array): void
  end(): void
  fail(error: Error): void
}

interface Reading {
  /** Reads no further, and leaves the connection open. */
  release(): void
  /** Ends it as failed, unless it has ended. */
  fail(reason: string): void
}

/** The reading of a body that is over. */
const wasRead: Reading = { release: () => undefined, fail: () => undefined }

function read(message: IncomingMessage, reader: Reader): Reading {
  let over = false
  const release = (): void => {
    over = true
    message.off('data', reader.chunk).off('end', onEnd).off('close', onClose).pause()
  }
  const onEnd = (): void => {
    release()
    reader.end()
  }
  const fail = (reason: string): void => {
    if (over) return
    release()
    reader.fail(new Error(reason))
  }
  const onClose = (): void => fail('the connection closed before the body was complete')
  message.on('data', reader.chunk).on('end', onEnd).on('close', onClose)
  // No event tells of what is over.
  if (message.readableEnded) fail('the body was read before')
  else if (message.destroyed) onClose()
  return { release, fail }
}
