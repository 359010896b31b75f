import type { Enforcement } from '../enforcement.ts'
import type { Identify } from './identify.ts'
import { createJudge, type GuardOptions } from './judge.ts'

export { toHono, type HonoMiddleware } from '@drawbridge/core/hono'
export type { Identify, Nobody } from './identify.ts'
export type { GuardOptions } from './judge.ts'

/** What the guard reads and calls of a context of Hono. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request }
  /** Sets a header field of the answer. */
  header(name: string, value: string, options?: { readonly append: boolean }): void
  /** Makes the answer, with the fields that were set. */
  newResponse(body: string, status?: number): Response
}

/**
 * Puts the guard before the routes of Hono: after the session or token middleware and the login,
 * before what must not be reached.
 *
 * @example
 *   const identify = (context: Context<Env>) => whoOf(context.get('session'))
 *   app.use(guard(enforcement, identify))
 *
 * @param identify What it throws goes to `onError` of the application
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function guard<Context extends HonoContextLike>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Context>,
  options: GuardOptions<Context> = {},
): (context: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  const judge = createJudge(enforcement, identify, options)
  return async (context, next) => {
    const denied = await judge(context)
    if (denied) return send(denied.response(context.req.raw), context)
    await next()
    return undefined
  }
}

/** By the context: of a bare `Response`, headers that were set before would replace its own. */
async function send(denial: Response, context: HonoContextLike): Promise<Response> {
  const body = await denial.text()
  for (const [name, value] of denial.headers) {
    context.header(name, value, { append: name === 'set-cookie' })
  }
  return context.newResponse(body, denial.status)
}
