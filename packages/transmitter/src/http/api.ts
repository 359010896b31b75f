import type { Emitter } from '@drawbridge/core'
import type { StreamError } from '@drawbridge/schema'
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
  { settings, locate, emitter }: ApiSetup,
): Promise<Response> {
  const location = locate(new URL(request.url).pathname)
  if (!location) return problem(404, 'not_found', 'there is nothing here')
  const route = routes[`${request.method} ${location.name}`]
  if (!route) return methodNotAllowed(location.name)
  if (!context) {
    return problem(503, 'unavailable', 'the Transmitter is not started', { 'retry-after': '1' })
  }
  try {
    if (route.scope === undefined) return route.action({ ...context, request })
    const call = await callOf(request, route.scope, settings)
    if (isResponse(call)) return call
    return await route.action({ ...context, ...call, request, streamId: location.streamId })
  } catch (error) {
    if ((error as Error).name === 'StreamError') return problemOf(error as StreamError)
    emitter.emit('request:failed', { at: settings.clock.now(), cause: error })
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
  { authenticate }: Settings,
): Promise<Pick<Call, 'receiver' | 'query' | 'body'> | Response> {
  const receiver = await authorize(request, scope, authenticate)
  if (isResponse(receiver)) return receiver
  const query = new URL(request.url).searchParams
  if (!methodsWithBody.includes(request.method)) return { receiver, query, body: undefined }
  const json = await readJson(request)
  return json.refusal ?? { receiver, query, body: json.value }
}

function methodNotAllowed(name: string): Response {
  const methods = Object.keys(routes)
    .filter((route) => route.endsWith(` ${name}`))
    .map((route) => route.split(' ', 1)[0])
  return problem(405, 'invalid_request', 'the method is not allowed here', {
    allow: methods.join(', '),
  })
}

/** By a member that only a Response has: classes differ between realms. */
const isResponse = (value: object): value is Response => 'headers' in value
