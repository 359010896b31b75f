import type { Enforcement } from '../enforcement.ts'
import type { Identify } from './identify.ts'
import { createJudge, type GuardOptions } from './judge.ts'

/** Answers a request with the Fetch API's own types. */
export type FetchHandlerFunction<Req extends Request = Request> = (
  request: Req,
) => Response | Promise<Response>

/**
 * Puts the guard before a Fetch handler: the handler sees only requests that may go on.
 *
 * @example
 *   const handle = guardFetch(enforcement, (request) => sessionOf(request), handler)
 *
 * @param identify What it throws, the guarded handler rejects with, and the handler is not called
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function guardFetch<Req extends Request>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  handler: FetchHandlerFunction<Req>,
  options: GuardOptions<Req> = {},
): (request: Req) => Promise<Response> {
  const judge = createJudge(enforcement, identify, options)
  return async (request) => {
    const denied = await judge(request)
    if (denied) return denied.response(request)
    return handler(request)
  }
}
