import type { IncomingHttpHeaders } from 'node:http'
import type { Enforcement } from '../enforcement.ts'
import type { Identify } from './identify.ts'
import { createJudge, type GuardOptions } from './judge.ts'
import { requestLike } from './node-request.ts'

export { toFastify, type FastifyPlugin } from '@drawbridge/core/fastify'
export type { Identify, Nobody } from './identify.ts'
export type { GuardOptions } from './judge.ts'

/** What the guard reads of a request of Fastify. */
export interface FastifyRequestLike {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

/** What the guard calls of a reply of Fastify. */
export interface FastifyReplyLike {
  /** Sets the status. */
  code(status: number): unknown
  /** Keeps the cookies that were set before. */
  header(name: string, value: string): unknown
  /** Ends the answer with this body. */
  send(body: string): unknown
}

/**
 * Makes the guard as a hook of Fastify. Add it as `preHandler`: session plugins fill the request in
 * `onRequest`, some in `preValidation`, and one that is registered after a hook was added runs
 * after that hook. The body has been parsed by then.
 *
 * @example
 *   const identify = ({ session }: FastifyRequest) => whoOf(session)
 *   app.addHook('preHandler', guard(enforcement, identify))
 *
 * @param identify What it throws is an error of the request: 500 unless the application says
 *   otherwise
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function guard<Req extends FastifyRequestLike>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Req>,
  options: GuardOptions<Req> = {},
): (request: Req, reply: FastifyReplyLike) => Promise<unknown> {
  const judge = createJudge(enforcement, identify, options)
  return async (request, reply) => {
    const denied = await judge(request)
    if (!denied) return undefined
    const denial = denied.response(requestLike(request.method, request.headers))
    const body = await denial.text()
    reply.code(denial.status)
    for (const [name, value] of denial.headers) reply.header(name, value)
    reply.send(body)
    // Fastify goes on to the handler unless a hook gives it the reply.
    return reply
  }
}
