/** The outcome of {@link readBody}: the text, or why there is none. */
export type Body =
  | { readonly text: string; readonly refused?: undefined }
  | { readonly refused: 'too-large' | 'not-utf8' }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A request or a response, as far as {@link readBody} needs it. */
export interface MessageWithBody {
  readonly body: ReadableStream<Uint8Array> | null
  /**
   * Where there is a way without a stream, as in our Node binding: the chunks, or undefined where
   * they are more than `limit` bytes.
   */
  chunksAtMost?(limit: number): Promise<readonly Uint8Array[] | undefined>
}

/**
 * Reads the body of a request or a response as UTF-8, at most `limit` bytes of it. What is beyond
 * is not waited for: the stream is cancelled.
 */
export async function readBody(message: MessageWithBody, limit: number): Promise<Body> {
  const chunks = await (message.chunksAtMost?.(limit) ?? chunksOf(message.body, limit))
  if (!chunks) return { refused: 'too-large' }
  const [first] = chunks
  try {
    return { text: utf8.decode(chunks.length === 1 && first ? first : concat(chunks)) }
  } catch {
    return { refused: 'not-utf8' }
  }
}

/** The chunks of a stream, or undefined where they are more than `limit` bytes. */
export async function chunksOf(
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<readonly Uint8Array[] | undefined> {
  if (!stream) return []
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return chunks
    length += value.byteLength
    if (length > limit) {
      await reader.cancel().catch(() => undefined)
      return undefined
    }
    chunks.push(value)
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}

/** The media type of a message in lower case, without parameters; empty when it has none. */
export function mediaType(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
