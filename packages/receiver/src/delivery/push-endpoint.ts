import { jsonResponse, emptyResponse, mediaType, readBody, sameSecret } from '@drawbridge/core'
import { setMediaType, type SetErrorCode } from '@drawbridge/schema'
import type { AcceptSet, Outcome } from '../handling/accept-set.ts'

/** What {@link createPushEndpoint} needs. */
export interface PushEndpointParts {
  readonly acceptSet: AcceptSet
  /** The value the `Authorization` field must have; undefined where none is asked for. */
  readonly authorizationHeader: string | undefined
  /** Takes a SET whatever the `Content-Type` says. */
  readonly anyMediaType: boolean
  /** True while new SETs are not taken: the process is about to stop. */
  readonly draining: () => boolean
}

/** A SET is a few KiB at most; what is larger is no SET. */
const largestSet = 64 * 1024

/** Seconds a Transmitter is asked to wait before it sends an unfinished SET again. */
const retryAfterSeconds = '1'

/**
 * Makes the answer to a push. 202 only after everything the SET changes is done.
 *
 * @see RFC 8935, "Event Delivery Process"
 */
export function createPushEndpoint(
  parts: PushEndpointParts,
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'POST') return emptyResponse(405, { allow: 'POST' })
    if (!(await isAuthentic(request, parts.authorizationHeader))) {
      return refusal('authentication_failed', 'the Authorization field is not the agreed one')
    }
    if (parts.draining()) return emptyResponse(503, { 'retry-after': retryAfterSeconds })
    const type = mediaType(request.headers)
    if (type !== '' && type !== setMediaType && !parts.anyMediaType) {
      return refusal('invalid_request', `the Content-Type must be "${setMediaType}"`, 415)
    }
    const body = await readBody(request, largestSet)
    if (body.refused === 'too-large') {
      return refusal('invalid_request', `a SET may have at most ${largestSet} bytes`, 413)
    }
    if (body.refused !== undefined) return refusal('invalid_request', 'the body is not UTF-8')
    return answer(await parts.acceptSet.accept(body.text.trim()))
  }
}

async function isAuthentic(request: Request, expected: string | undefined): Promise<boolean> {
  if (expected === undefined) return true
  return await sameSecret(request.headers.get('authorization') ?? '', expected)
}

function answer(outcome: Outcome): Response {
  switch (outcome.kind) {
    case 'acknowledged':
      return emptyResponse(202)
    case 'rejected':
      return refusal(outcome.report.err, outcome.report.description)
    case 'unfinished':
      return emptyResponse(503, { 'retry-after': retryAfterSeconds })
  }
}

function refusal(err: SetErrorCode, description: string, status = 400): Response {
  return jsonResponse(status, { err, description }, { 'content-language': 'en' })
}
