import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FetchHandler } from './fetch-handler.ts'
import { targetOf, toNode } from './node.ts'

/** What the plugin reads of a request of Fastify. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

/** What the plugin calls of a reply of Fastify. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse
  /** Tells Fastify that the answer is given by somebody else. */
  hijack(): unknown
}

/** What the plugin calls of Fastify. */
export interface FastifyLike {
  /** Adds a hook that sees every request, before its body is read. */
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void,
  ): unknown
}

/** A plugin of Fastify. */
export type FastifyPlugin = (fastify: FastifyLike, options: unknown, done: () => void) => void

/**
 * Makes a Fetch handler a plugin of Fastify. It takes the requests whose path is the handler's
 * before Fastify reads their bodies, so that neither content type parsers nor body limits of the
 * application touch them; all others go on. The path that the peer asked for decides: a `prefix` of
 * `register` does not matter.
 *
 * @example
 *   app.register(toFastify(transmitter))
 */
export function toFastify(handler: FetchHandler): FastifyPlugin {
  const listen = toNode(handler)
  const plugin: FastifyPlugin = (fastify, _, done) => {
    fastify.addHook('onRequest', (request, reply, next) => {
      const target = targetOf(request.raw)
      if (!target || !handler.serves(target.pathname)) return next()
      reply.hijack()
      listen(request.raw, reply.raw)
    })
    done()
  }
  // For the whole application: there are no routes of this plugin's own that a hook could be for.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
