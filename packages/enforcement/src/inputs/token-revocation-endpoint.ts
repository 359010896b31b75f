import {
  checkOptions,
  emptyResponse,
  jsonResponse,
  mediaType,
  readBody,
  type FetchHandler,
} from '@drawbridge/core'
import { readJson, type SecurityEvent, type Subject } from '@drawbridge/schema'
import type { Enforcement } from '../enforcement.ts'
import { checkTimeAndId } from './issue-event.ts'
import {
  checkFormats,
  tokenRevocationEvent,
  type TokenRevocationOptions,
} from './token-revocation-event.ts'

/** A revocation that was asked for by somebody who is known. */
export interface Revocation {
  /** Whom it is about, as the caller says. */
  readonly subject: Subject
  /** The identity provider that asks. */
  readonly issuer: string
  /** The request. Its body has been read. */
  readonly request: Request
}

/**
 * Why a revocation is not carried out: the caller may not ask for it (403), the user is unknown
 * (404), or cannot be logged out (422).
 */
export type RevocationRefusal = 'forbidden' | 'unknown-user' | 'unable'

/** The options of {@link tokenRevocationEndpoint}. */
export interface TokenRevocationEndpointOptions extends Omit<TokenRevocationOptions, 'issuer'> {
  /**
   * Tells which identity provider a request is from, by its name as an issuer; undefined where its
   * credentials are not good (401). It should look at the headers only: the body is not read yet.
   * Where it cannot tell just now, it throws (503). There is no default.
   */
  readonly authenticate: (request: Request) => string | undefined | Promise<string | undefined>
  /** Where it is. Default: `/global-token-revocation`. */
  readonly path?: string
  /**
   * Says why a revocation is not carried out, undefined where it is. What it throws means that
   * nobody can tell just now (503). Default: whoever is authenticated may ask for it, and every
   * user counts as known. What a caller can touch is bounded by its mandate in any case.
   */
  readonly refuse?: (
    revocation: Revocation,
  ) => RevocationRefusal | undefined | Promise<RevocationRefusal | undefined>
  /** Told of the error behind an answer 503. Default: it is printed. */
  readonly onFailure?: (error: unknown) => void
}

type Settings = TokenRevocationEndpointOptions &
  Required<Pick<TokenRevocationEndpointOptions, 'path' | 'onFailure'>>

type Recorder = Pick<Enforcement, 'apply' | 'entriesFor'>

const optionNames = ['authenticate', 'path', 'refuse', 'onFailure', 'formats', 'clock', 'newId']

/** A Subject Identifier is a few hundred bytes; aliases may be some more. */
const largestBody = 64 * 1024

/** Seconds a caller is asked to wait. */
const retryAfter = { 'retry-after': '5' }

/**
 * Makes the endpoint by which an identity provider has everything of a user ended: Okta's Universal
 * Logout, or any sender of Global Token Revocation. 204 only when that is durable and the guard
 * answers by it. Where nothing could be recorded, because the policy has no rule for it or the
 * mandate forbids it, the answer is 422.
 *
 * @example
 *   const endpoint = tokenRevocationEndpoint(enforcement, {
 *     authenticate: async ({ headers }) => issuerOf(headers.get('authorization')),
 *   })
 *   app.use(toNode(endpoint))
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake in the options
 * @see draft-parecki-oauth-global-token-revocation-05, "Revocation Endpoint", "Revocation Response"
 */
export function tokenRevocationEndpoint(
  enforcement: Pick<Enforcement, 'apply' | 'entriesFor'>,
  options: TokenRevocationEndpointOptions,
): FetchHandler {
  const settings = readOptions(options)
  const { path } = settings
  return {
    serves: (pathname) => pathname === path,
    fetch: async (request) => {
      if (new URL(request.url).pathname !== path) return emptyResponse(404)
      if (request.method !== 'POST') return emptyResponse(405, { allow: 'POST' })
      try {
        return await answer(request, enforcement, settings)
      } catch (error) {
        report(error, settings)
        return problem(503, 'unavailable', 'it cannot be carried out now', retryAfter)
      }
    },
  }
}

async function answer(
  request: Request,
  enforcement: Recorder,
  settings: Settings,
): Promise<Response> {
  const issuer: unknown = await settings.authenticate(request)
  if (typeof issuer !== 'string' || issuer === '') return unauthorized(request)
  const event = await eventIn(request, issuer, settings)
  if (isResponse(event)) return event
  const refusal = await settings.refuse?.({ subject: event.subject, issuer, request })
  if (refusal !== undefined) return refusals[refusal]()
  await enforcement.apply(event)
  return isRecorded(event, enforcement) ? emptyResponse(204) : refusals.unable()
}

async function eventIn(
  request: Request,
  issuer: string,
  { formats, clock, newId }: Settings,
): Promise<SecurityEvent | Response> {
  if (mediaType(request.headers) !== 'application/json') {
    return problem(415, 'invalid_request', 'the Content-Type must be "application/json"')
  }
  const body = await readBody(request, largestBody)
  if (body.refused === 'too-large') {
    return problem(413, 'invalid_request', `the body may have at most ${largestBody} bytes`)
  }
  if (body.refused !== undefined) return problem(400, 'invalid_request', 'the body is not UTF-8')
  const options = { issuer, ...(formats && { formats }), ...(clock && { clock }) }
  try {
    return tokenRevocationEvent(readJson(body.text), { ...options, ...(newId && { newId }) })
  } catch (error) {
    if ((error as Error).name !== 'SetError') throw error
    return problem(400, 'invalid_request', (error as Error).message)
  }
}

const refusals: Readonly<Record<RevocationRefusal, () => Response>> = {
  forbidden: () =>
    problem(403, 'access_denied', 'the authorization is not enough', {
      'www-authenticate': 'Bearer error="insufficient_scope"',
    }),
  'unknown-user': () => problem(404, 'not_found', 'the user is not known'),
  unable: () => problem(422, 'unable', 'the user cannot be logged out'),
}

function unauthorized({ headers }: Request): Response {
  const challenge = headers.has('authorization') ? 'Bearer error="invalid_token"' : 'Bearer'
  return problem(401, 'authentication_failed', 'the request is not authenticated', {
    'www-authenticate': challenge,
  })
}

/** Whether it stands in the ledger, or what the same issuer said in that moment or later. */
function isRecorded(event: SecurityEvent, { entriesFor }: Recorder): boolean {
  const { type, iss, jti, subject, time } = event
  return entriesFor({ subject, began: new Date(time * 1000) }).some(
    ({ cause, since }) =>
      cause.type === type && (cause.jti === jti || (cause.iss === iss && since >= time)),
  )
}

function report(error: unknown, { onFailure }: Settings): void {
  try {
    onFailure(error)
  } catch (thrown) {
    print(thrown)
  }
}

const print = (error: unknown): void =>
  console.error('drawbridge: a revocation could not be carried out', error)

function readOptions(options: TokenRevocationEndpointOptions): Settings {
  const settings = { path: '/global-token-revocation', onFailure: print, ...options }
  const checks = checkOptions('tokenRevocationEndpoint')
  const { check } = checks
  const { authenticate, path, refuse, onFailure, formats } = settings
  checks.known(options ?? {}, optionNames)
  check(
    typeof authenticate === 'function',
    '"authenticate" must be a function that tells which identity provider a request is from',
  )
  check(
    typeof path === 'string' && /^\/[^?#\s]*$/.test(path),
    '"path" must be a path that begins with "/"',
  )
  check(refuse === undefined || typeof refuse === 'function', '"refuse" must be a function')
  check(typeof onFailure === 'function', '"onFailure" must be a function')
  checkFormats(formats, checks)
  checkTimeAndId(settings, checks)
  checks.done()
  return settings
}

const problem = (
  status: number,
  err: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): Response => jsonResponse(status, { err, description }, headers)

const isResponse = (value: SecurityEvent | Response): value is Response => 'status' in value
