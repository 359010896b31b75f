import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Enforcement } from '../enforcement.ts'
import type { Identify } from './identify.ts'
import { judge, type GuardOptions } from './judge.ts'
import { headersForNode, requestLike } from './node-request.ts'

export type { Identify, Nobody } from './identify.ts'
export type { GuardOptions } from './judge.ts'

/** What Express and connect call before the routes. */
export type Middleware<Req> = (
  request: Req,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Puts the guard before the routes of Express or connect: after the session or token middleware,
 * before what must not be reached.
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
 */
export function guard<Req extends IncomingMessage>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  options: GuardOptions<Req> = {},
): Middleware<Req> {
  return (request, response, next) => {
    judge(enforcement, identify, options, request)
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
  response.writeHead(denial.status, headersForNode(denial.headers))
  response.end(body)
}
