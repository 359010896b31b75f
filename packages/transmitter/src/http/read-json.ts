import { mediaType, readBody } from '@drawbridge/core'
import { problem } from './problem.ts'

/** The outcome of {@link readJson}. */
export type Json =
  { readonly value: unknown; readonly refusal?: undefined } | { readonly refusal: Response }

const limitBytes = 64 * 1024

/** Reads the JSON body of a request, or says how to refuse it. An absent media type is tolerated. */
export async function readJson(request: Request): Promise<Json> {
  const type = mediaType(request.headers)
  if (type !== '' && type !== 'application/json') {
    return { refusal: problem(415, 'invalid_request', 'the body must be application/json') }
  }
  // A body that breaks off cannot be parsed either.
  const body = await readBody(request, limitBytes).catch(() => undefined)
  if (body?.refused === 'too-large') {
    return { refusal: problem(413, 'invalid_request', `the body may have ${limitBytes} bytes`) }
  }
  if (body && !body.refused) {
    try {
      return { value: JSON.parse(body.text) as unknown }
    } catch {
      // Answered below, like a body that is not UTF-8.
    }
  }
  return { refusal: problem(400, 'invalid_request', 'the body must be JSON in UTF-8') }
}
