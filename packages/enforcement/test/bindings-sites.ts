import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { getRequestListener, serve } from '@hono/node-server'
import express, { type ErrorRequestHandler, type Request as ExpressRequest } from 'express'
import fastify, { type FastifyRequest } from 'fastify'
import { Hono, type Context } from 'hono'
import { guardFetch } from '@drawbridge/enforcement'
import { guard as guardExpress } from '@drawbridge/enforcement/express'
import { guard as guardFastify } from '@drawbridge/enforcement/fastify'
import { guard as guardHono } from '@drawbridge/enforcement/hono'
import type { Asked, Serve, Site, SiteOptions } from './bindings-contract.ts'

const cookie = 'theme=dark'
const eventStream = 'text/event-stream'

/** Reads the options of the contract with a framework's own request. */
const optionsFor = <Req>({ identify, requires }: SiteOptions, read: (request: Req) => Asked) => ({
  identify: (request: Req) => identify(read(request)),
  options: {
    ...(requires !== undefined && {
      requires:
        typeof requires === 'function' ? (request: Req) => requires(read(request)) : requires,
    }),
  },
})

/** One event, and the end when the signal aborts. */
function eventsUntil(signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode('data: 1\n\n'))
      signal.addEventListener('abort', () => controller.close(), { once: true })
    },
  })
}

const readFetch = ({ method, url, headers }: Request): Asked => ({
  method,
  path: new URL(url).pathname,
  session: headers.get('x-session') ?? undefined,
})

async function listen(listener: RequestListener, errors: readonly unknown[]): Promise<Site> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    errors,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const serveFetch: Serve = (site) => {
  const errors: unknown[] = []
  const { identify, options } = optionsFor(site, readFetch)
  const handler = async (request: Request): Promise<Response> => {
    if (new URL(request.url).pathname !== '/events') {
      return new Response(site.handle(await request.text()))
    }
    const headers = { 'content-type': eventStream }
    return new Response(eventsUntil(site.watch()), { headers })
  }
  const handle = guardFetch(site.enforcement, identify, handler, options)
  const answer = (request: Request): Promise<Response> =>
    handle(request).catch((error: unknown) => {
      errors.push(error)
      return new Response(null, { status: 500 })
    })
  return listen(getRequestListener(answer, { overrideGlobalObjects: false }), errors)
}

export const serveExpress: Serve = (site) => {
  const errors: unknown[] = []
  const read = (request: ExpressRequest): Asked => {
    const { method, path } = request
    return { method, path, session: request.get('x-session') }
  }
  const { identify, options } = optionsFor(site, read)
  const onError: ErrorRequestHandler = (error, _, response, __) => {
    errors.push(error)
    response.status(500).end()
  }
  const app = express()
    .use((_, response, next) => {
      response.append('set-cookie', cookie)
      next()
    })
    .use(guardExpress(site.enforcement, identify, options))
    .all('/page', async (request, response) => {
      response.send(site.handle(await text(request)))
    })
    .get('/events', (_, response) => {
      response.setHeader('content-type', eventStream)
      response.write('data: 1\n\n')
      site.watch().addEventListener('abort', () => response.end(), { once: true })
    })
    .use(onError)
  return listen(app, errors)
}

export const serveFastify: Serve = async (site) => {
  const errors: unknown[] = []
  const read = ({ method, url, headers }: FastifyRequest): Asked => {
    return { method, path: url, session: headers['x-session']?.toString() }
  }
  const { identify, options } = optionsFor(site, read)
  const app = fastify({ bodyLimit: 10_000_000, forceCloseConnections: true })
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body))
  app.setErrorHandler((error, _, reply) => {
    errors.push(error)
    return reply.code(500).send()
  })
  app.addHook('preHandler', guardFastify(site.enforcement, identify, options))
  // As session plugins do: the reply is not sent at once.
  app.addHook('onSend', (_, __, payload, done) => void setImmediate(done, null, payload))
  app.addHook('onRequest', async (_, reply) => void reply.header('set-cookie', cookie))
  app.all('/page', ({ body }) => site.handle(String(body ?? '')))
  app.get('/events', (_, reply) =>
    reply.type(eventStream).send(Readable.fromWeb(eventsUntil(site.watch()) as never)),
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { port, errors, close: () => app.close() }
}

export const serveHono: Serve = async (site) => {
  const errors: unknown[] = []
  const { identify, options } = optionsFor(site, ({ req }: Context) => readFetch(req.raw))
  const app = new Hono()
    .use(async (context, next) => {
      context.header('set-cookie', cookie, { append: true })
      await next()
    })
    .use(guardHono(site.enforcement, identify, options))
    .all('/page', async ({ req, text: answer }) => answer(site.handle(await req.text())))
    .get('/events', ({ body }) =>
      body(eventsUntil(site.watch()), 200, { 'content-type': eventStream }),
    )
    .onError((error, { body }) => {
      errors.push(error)
      return body(null, 500)
    })
  const parts = { fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false }
  const server = serve(parts)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    errors,
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
