import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express, { type ErrorRequestHandler } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import type { FetchHandler } from '@drawbridge/core'
import { toNode as toExpress } from '@drawbridge/transmitter/express'
import { toFastify } from '@drawbridge/transmitter/fastify'
import { toHono } from '@drawbridge/transmitter/hono'
import { toNode } from '@drawbridge/transmitter/node'
import type { Certificate } from './tls.ts'

/** A Fetch handler on a socket. */
export interface Mounted {
  readonly port: number
  close(): Promise<void>
}

/**
 * Puts a handler into an application that answers `GET /other` with `the application's`, and parses
 * every body that reaches it. With a certificate, it is served over TLS.
 */
export type Mount = (handler: FetchHandler, tls?: Certificate) => Promise<Mounted>

/** Every binding, by name. */
export const mounts: Readonly<Record<string, Mount>> = {
  'node:http': (handler, tls) =>
    listen((request, response) => {
      toNode(handler)(request, response, () => {
        response.statusCode = request.url === '/other' ? 200 : 404
        response.end(request.url === '/other' ? othersAnswer : '')
      })
    }, tls),
  'any server of Fetch': (handler, tls) => {
    const answer = (request: Request): Promise<Response> | Response => {
      const { pathname } = new URL(request.url)
      if (handler.serves(pathname)) return handler.fetch(request)
      return new Response(pathname === '/other' ? othersAnswer : null, {
        status: pathname === '/other' ? 200 : 404,
      })
    }
    return listen(getRequestListener(answer, { overrideGlobalObjects: false }), tls)
  },
  Express: (handler, tls) => {
    const onError: ErrorRequestHandler = (_, __, response, ___) => void response.status(500).end()
    const app = express()
      .use(toExpress(handler))
      .use(express.json({ limit: 10, type: () => true }))
      .get('/other', (_, response) => void response.send(othersAnswer))
      .use(onError)
    return listen(app, tls)
  },
  Fastify: async (handler, tls) => {
    const app = fastify({ ...(tls && { https: tls }), bodyLimit: 10, forceCloseConnections: true })
    await app.register(toFastify(handler))
    app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body))
    app.get('/other', () => othersAnswer)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    return { port, close: () => app.close() }
  },
  Hono: (handler, tls) => {
    const app = new Hono().use(toHono(handler)).get('/other', ({ text }) => text(othersAnswer))
    return listen(getRequestListener(app.fetch, { overrideGlobalObjects: false }), tls)
  },
}

const othersAnswer = 'the application’s'

async function listen(listener: RequestListener, tls?: Certificate): Promise<Mounted> {
  const server = tls ? createSecureServer(tls, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      ;(server as SecureServer).closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
