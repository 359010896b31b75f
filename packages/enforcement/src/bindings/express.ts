import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Enforcement } from '../enforcement.ts'
import type { RequestLike } from '../guard/access-decision.ts'
import type { Identify } from './identify.ts'

export type { Identify, Nobody } from './identify.ts'

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
): Middleware<Req> {
  const judge = async (request: Req): Promise<Response | undefined> => {
    const who = await identify(request)
    const decision = who && enforcement.check(who)
    if (!decision || decision.outcome === 'allow') return undefined
    return decision.response(requestLike(request))
  }
  return (request, response, next) => {
    judge(request)
      .then((denial) => (denial ? send(denial, response) : next()))
      .catch(next)
  }
}

function requestLike({ method = 'GET', headers }: IncomingMessage): RequestLike {
  return {
    method,
    headers: {
      get: (name) => {
        const value = headers[name]
        return Array.isArray(value) ? value.join(', ') : (value ?? null)
      },
    },
  }
}

async function send(denial: Response, response: ServerResponse): Promise<void> {
  const body = await denial.text()
  response.writeHead(denial.status, Object.fromEntries(denial.headers))
  response.end(body)
}
