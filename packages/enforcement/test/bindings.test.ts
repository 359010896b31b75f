import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import {
  createEnforcement,
  guardFetch,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
  type Who,
} from '@drawbridge/enforcement'
import { guard as guardExpress } from '@drawbridge/enforcement/express'
import { guard as guardFastify } from '@drawbridge/enforcement/fastify'
import { guard as guardHono } from '@drawbridge/enforcement/hono'
import { headersForNode } from '../src/bindings/node-request.ts'
import { alice, noon, revoked } from './signals.ts'

interface Site {
  readonly enforcement: Enforcement
  readonly identify: () => Who
  readonly requires: readonly string[] | (() => readonly string[] | undefined) | undefined
  readonly handled: () => void
}
type Serve = (site: Site) => Promise<Server>

const listening = async (server: Server): Promise<Server> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
const options = ({ requires }: Site) => (requires === undefined ? {} : { requires })

const bindings: Record<string, Serve> = {
  Fetch: (site) => {
    const handler = () => (site.handled(), new Response('the page'))
    const handle = guardFetch(site.enforcement, site.identify, handler, options(site))
    const answer = (request: Request) =>
      handle(request).catch(() => new Response(null, { status: 500 }))
    return listening(createServer(getRequestListener(answer, { overrideGlobalObjects: false })))
  },
  Express: (site) => {
    const app = express()
    app.use(guardExpress(site.enforcement, site.identify, options(site)))
    app.use((_, response) => (site.handled(), void response.send('the page')))
    app.use(((_error, _request, response, _next) => {
      response.status(500).end()
    }) as express.ErrorRequestHandler)
    return listening(createServer(app))
  },
  Fastify: async (site) => {
    const app = fastify()
    app.addHook('preHandler', guardFastify(site.enforcement, site.identify, options(site)))
    app.all('/', () => (site.handled(), 'the page'))
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  },
  Hono: (site) => {
    const app = new Hono()
    app.onError((_, context) => context.body(null, 500))
    app.use(guardHono(site.enforcement, site.identify, options(site)))
    app.all('/', (context) => (site.handled(), context.text('the page')))
    return listening(createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false })))
  },
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

interface Setup {
  readonly requires?: Site['requires']
  readonly identify?: Site['identify']
}

const siteOf = async (serve: Serve, { requires, identify }: Setup = {}) => {
  const enforcement = createEnforcement({
    ledger: memoryLedger(),
    policy: recommendedPolicy(),
    loginUrl: '/login?from=here',
    clearCookie: 'sid',
  })
  let handled = 0
  const who: Who = { subject: alice, began: new Date((noon - 60) * 1000), grants: ['files:read'] }
  const server = await serve({
    enforcement,
    identify: identify ?? (() => who),
    requires,
    handled: () => (handled += 1),
  })
  servers.push(server)
  const { port } = server.address() as AddressInfo
  const ask = async (headers: Record<string, string> = {}, method = 'GET') => {
    const request = httpRequest({ port, host: '127.0.0.1', method, headers })
    request.end()
    const [message] = (await once(request, 'response')) as [IncomingMessage]
    return { status: message.statusCode, headers: message.headers, body: await text(message) }
  }
  return { enforcement, ask, handled: () => handled }
}

describe.each(Object.entries(bindings))('guard in %s', (_, serve) => {
  it('lets an allowed request pass once', async () => {
    const { enforcement, ask, handled } = await siteOf(serve)
    await enforcement.start()
    expect(await ask()).toMatchObject({ status: 200, body: 'the page' })
    expect(handled()).toBe(1)
  })
  it('answers 503 until the ledger has been read', async () => {
    const { ask, handled } = await siteOf(serve)
    const { status, headers } = await ask()
    expect([status, headers['retry-after'], handled()]).toEqual([503, '1', 0])
  })
  it('refuses a session that has ended', async () => {
    const { enforcement, ask, handled } = await siteOf(serve)
    await enforcement.start()
    await enforcement.apply(revoked({ user: alice }))
    const { status, headers } = await ask()
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toContain('Bearer error="invalid_token"')
    expect(headers['cache-control']).toContain('no-store')
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^sid=;/)])
    const page = await ask({ 'sec-fetch-mode': 'navigate' })
    expect(page.status).toBe(303)
    expect(page.headers.location).toMatch(/^\/login\?from=here&max_age=\d+$/)
    expect((await ask({ 'sec-fetch-mode': 'navigate' }, 'POST')).status).toBe(401)
    expect(handled()).toBe(0)
  })
  it.each([[['files:write']], [() => ['files:write']]])(
    'answers 403 where a grant is missing: %p',
    async (requires) => {
      const { enforcement, ask, handled } = await siteOf(serve, { requires })
      await enforcement.start()
      const { status, headers } = await ask()
      expect(status).toBe(403)
      expect(headers['www-authenticate']).toContain('scope="files:write"')
      expect(handled()).toBe(0)
    },
  )
  it('lets a restricted session pass only where the route says what it needs', async () => {
    for (const [requires, expected] of [
      [undefined, 403],
      [[], 200],
      [() => undefined, 403],
    ] as const) {
      const { enforcement, ask } = await siteOf(serve, { requires })
      await enforcement.start()
      await enforcement.take({
        on: alice,
        cause: 'change-window',
        effect: 'restrict',
        terms: { take: ['files:write'] },
      })
      expect((await ask()).status).toBe(expected)
    }
  })
  it('answers the fetch of a page with 401 and JSON', async () => {
    const { enforcement, ask } = await siteOf(serve)
    await enforcement.start()
    await enforcement.apply(revoked({ user: alice }))
    const { status, body } = await ask({ 'sec-fetch-mode': 'cors', accept: 'text/html' })
    expect([status, JSON.parse(body)]).toMatchObject([401, { error: 'invalid_token' }])
  })
  it('is an error and no pass when identify throws', async () => {
    const identify = () => {
      throw new Error('no session store')
    }
    const { enforcement, ask, handled } = await siteOf(serve, { identify })
    await enforcement.start()
    expect((await ask()).status).toBe(500)
    expect(handled()).toBe(0)
  })
})

describe('headersForNode', () => {
  it('keeps every cookie on a line of its own', () => {
    const headers = new Headers({ 'x-one': '1' })
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    expect(headersForNode(headers)).toEqual({ 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] })
  })
})
