import type { IncomingMessage } from 'node:http'
import { chunksOf } from './read-body.ts'

/** What is made when somebody asks for it. */
type Late =
  | 'signal'
  | 'body'
  | 'bodyUsed'
  | 'arrayBuffer'
  | 'blob'
  | 'bytes'
  | 'formData'
  | 'json'
  | 'text'
  | 'clone'

const RequestHead = Request as unknown as new (
  url: URL,
  init: Pick<RequestInit, 'method' | 'headers'>,
) => Omit<Request, Late>

/**
 * A message of `node:http` as a `Request`. The platform makes a stream and a signal for each
 * `Request`, which costs eight times the rest of it: here they are made when somebody asks for
 * them, and `readBody` takes the bytes from the message itself.
 */
export class IncomingRequest extends RequestHead {
  readonly hasBody: boolean
  readonly #message: IncomingMessage
  readonly #url: URL
  #gone: AbortController | undefined
  #aborted = false
  #whole: Request | undefined
  #reading: Reading | undefined

  constructor(url: URL, message: IncomingMessage) {
    const method = message.method ?? 'GET'
    super(url, { method, headers: headersOf(message) })
    this.#url = url
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
        end: () => resolve(chunks),
        fail: reject,
      })
      this.#reading = reading
      this.#message.resume()
    })
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

  #complete(): Request {
    const { method, headers, signal, hasBody } = this
    this.#whole ??= new Request(this.#url, {
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

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!name.startsWith(':')) headers.append(name, rawHeaders[index + 1] ?? '')
  }
  return headers
}

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
