import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Enforcement } from '../enforcement.ts'
import type { Identify } from './identify.ts'
import { createJudge, type GuardOptions } from './judge.ts'
import { requestLike } from './node-request.ts'

export { toNode, type NodeListener } from '@drawbridge/core/node'
export type { Identify, Nobody } from './identify.ts'
export type { GuardOptions } from './judge.ts'

/** What Express and connect call before the routes. */
export type Middleware<Req> = (
  request: Req,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Puts the guard before the routes of Express or connect: after the session or token middleware and
 * the login, before what must not be reached.
 *
 * @example
 *   app.use(
 *     guard(
 *       enforcement,
 *       ({ session: { login } }) =>
 *         login && {
 *           subject: { user: issSub(idp, login.sub), session: opaque(login.sid) },
 *           began: new Date(login.authTime * 1000),
 *         },
 *     ),
 *   )
 *
 * @param identify What it throws goes to `next`, as an error: 500 unless the application says
 *   otherwise
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function guard<Req extends IncomingMessage>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  options: GuardOptions<Req> = {},
): Middleware<Req> {
  const judge = createJudge(enforcement, identify, options)
  return (request, response, next) => {
    judge(request)
      .then((denied) => {
        if (!denied) return next()
        const { method = 'GET', headers } = request
        return send(denied.response(requestLike(method, headers)), response)
      })
      .catch(next)
  }
}

async function send(denial: Response, response: ServerResponse): Promise<void> {
  const body = await denial.text()
  response.statusCode = denial.status
  for (const [name, value] of denial.headers) {
    // Cookies cannot share a line, and those that were set before stay.
    if (name === 'set-cookie') response.appendHeader(name, value)
    else response.setHeader(name, value)
  }
  response.end(body)
}
