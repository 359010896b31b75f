import type { Enforcement } from '../enforcement.ts'
import type { Identify } from './identify.ts'
import { judge, type GuardOptions } from './judge.ts'

export type { Identify, Nobody } from './identify.ts'
export type { GuardOptions } from './judge.ts'

/** What the guard reads of a context of Hono. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request }
}

/**
 * Puts the guard before the routes of Hono: after the session or token middleware, before what must
 * not be reached.
 *
 * @example
 *   app.use(guard(enforcement, (context) => whoOf(context.get('session'))))
 *
 * @param identify What it throws goes to `onError` of the application
 */
export function guard<Context extends HonoContextLike>(
  enforcement: Pick<Enforcement, 'check'>,
  identify: Identify<Context>,
  options: GuardOptions<Context> = {},
): (context: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (context, next) => {
    const denied = await judge(enforcement, identify, options, context)
    if (denied) return denied.response(context.req.raw)
    await next()
    return undefined
  }
}
