/** The outcome of {@link readBody}: the text, or why there is none. */
export type Body =
  | { readonly text: string; readonly refused?: undefined }
  | { readonly refused: 'too-large' | 'not-utf8' }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads the body of a request or a response as UTF-8, at most `limit` bytes of it. What is beyond
 * is not waited for: the stream is cancelled.
 */
export async function readBody(
  message: { readonly body: ReadableStream<Uint8Array> | null },
  limit: number,
): Promise<Body> {
  if (!message.body) return { text: '' }
  const reader = message.body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.byteLength
    if (length > limit) {
      await reader.cancel().catch(() => undefined)
      return { refused: 'too-large' }
    }
    chunks.push(value)
  }
  const [first] = chunks
  try {
    return { text: utf8.decode(chunks.length === 1 && first ? first : concat(chunks, length)) }
  } catch {
    return { refused: 'not-utf8' }
  }
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
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
