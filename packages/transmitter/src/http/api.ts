import { emptyResponse, type Emitter } from '@drawbridge/core'
import type { StreamError } from '@drawbridge/schema'
import { isUnavailable } from '../authenticate/authenticate.ts'
import type { Settings } from '../settings.ts'
import type { TransmitterEvents } from '../transmitter-events.ts'
import { authorize, type Scope } from './authorize.ts'
import type { ApiContext, Call } from './call.ts'
import type { Locate } from './locate.ts'
import { problem, problemOf } from './problem.ts'
import { readJson } from './read-json.ts'
import { routes } from './routes.ts'

/**
 * Answers one request. The order of the checks is part of the contract: path and method, the token,
 * its scope, whether the body can be read, and only then what it says. Never rejects.
 *
 * @param context Undefined while the Transmitter is not started
 */
export async function answerRequest(
  request: Request,
  context: ApiContext | undefined,
  setup: ApiSetup,
): Promise<Response> {
  const answer = await answerWhole(request, context, setup)
  return request.method === 'HEAD' ? new Response(null, answer) : answer
}

async function answerWhole(
  request: Request,
  context: ApiContext | undefined,
  { settings, locate, emitter }: ApiSetup,
): Promise<Response> {
  const location = locate(new URL(request.url).pathname)
  if (!location) return problem(404, 'not_found', 'there is nothing here')
  const route = routes[`${asGet(request.method)} ${location.name}`]
  if (!route) return withoutRoute(request.method, location.name)
  if (!context) {
    return problem(503, 'unavailable', 'the Transmitter is not started', { 'retry-after': '1' })
  }
  try {
    if (route.scope === undefined) return route.action({ request, ...context })
    const call = await callOf(request, route.scope, settings)
    if (isResponse(call)) return call
    return await route.action({ request, streamId: location.streamId, ...call, ...context })
  } catch (error) {
    if ((error as Error).name === 'StreamError') return problemOf(error as StreamError)
    emitter.emit('request:failed', { at: settings.clock.now(), cause: error })
    if (isUnavailable(error)) {
      return problem(503, 'unavailable', 'access tokens cannot be judged now', {
        'retry-after': '5',
      })
    }
    return problem(500, 'server_error', 'the request could not be answered')
  }
}

/** What answers need besides the state of a started Transmitter. */
export interface ApiSetup {
  readonly settings: Settings
  readonly locate: Locate
  readonly emitter: Emitter<TransmitterEvents>
}

const methodsWithBody: readonly string[] = ['POST', 'PATCH', 'PUT']

async function callOf(
  request: Request,
  scope: Scope,
  settings: Settings,
): Promise<Pick<Call, 'receiver' | 'query' | 'body'> | Response> {
  const receiver = await authorize(request, scope, settings)
  if (isResponse(receiver)) return receiver
  const query = new URL(request.url).searchParams
  if (!methodsWithBody.includes(request.method)) return { receiver, query, body: undefined }
  const json = await readJson(request)
  return json.refusal ?? { receiver, query, body: json.value }
}

/** What HEAD asks for is what GET would be answered. */
const asGet = (method: string): string => (method === 'HEAD' ? 'GET' : method)

/** @see RFC 9110, "OPTIONS"; "405 Method Not Allowed" */
function withoutRoute(method: string, name: string): Response {
  const allow = [...methodsOf(name), 'OPTIONS'].join(', ')
  if (method === 'OPTIONS') return emptyResponse(204, { allow })
  return problem(405, 'invalid_request', 'the method is not allowed here', { allow })
}

const methodsOf = (name: string): string[] =>
  Object.keys(routes)
    .filter((route) => route.endsWith(` ${name}`))
    .flatMap((route) => (route.startsWith('GET ') ? ['GET', 'HEAD'] : route.split(' ', 1)))

/** By a member that only a Response has: classes differ between realms. */
const isResponse = (value: object): value is Response => 'headers' in value
