import { jsonResponse } from '@drawbridge/core'
import type { StreamError } from '@drawbridge/schema'

/** An error answer: peers look at the status, people read the body. */
export function problem(
  status: number,
  err: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return jsonResponse(status, { err, description }, headers)
}

const errors: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  403: 'access_denied',
  404: 'not_found',
  409: 'conflict',
  429: 'too_many_requests',
}

/** The answer to a request that cannot be done. */
export function problemOf({ status, message, retryAfterSeconds }: StreamError): Response {
  const headers =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return problem(status, errors[status] ?? 'invalid_request', message, headers)
}
