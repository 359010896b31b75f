import type { FetchHandler } from './fetch-handler.ts'

/** What the middleware reads of a context of Hono. */
export interface HonoContextLike {
  readonly req: { readonly raw: Request }
}

/** A middleware of Hono. */
export type HonoMiddleware = (
  context: HonoContextLike,
  next: () => Promise<void>,
) => Promise<Response | undefined>

/**
 * Makes a Fetch handler a middleware of Hono: it answers the requests whose path is the handler's,
 * all others go on. The path that the peer asked for decides, also below `route` and `basePath`.
 * Add it before what reads bodies.
 *
 * @example
 *   app.use(toHono(transmitter))
 */
export function toHono(handler: FetchHandler): HonoMiddleware {
  return async ({ req: { raw } }, next) => {
    if (handler.serves(new URL(raw.url).pathname)) return handler.fetch(raw)
    await next()
    return undefined
  }
}
