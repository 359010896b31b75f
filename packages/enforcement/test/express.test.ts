import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import express, { type Request as ExpressRequest } from 'express'
import { issSub, opaque } from '@drawbridge/schema'
import { createEnforcement, memoryLedger, recommendedPolicy } from '@drawbridge/enforcement'
import { guard, type Identify } from '@drawbridge/enforcement/express'
import { alice, idp, laptop, noon, notCompliant, revoked } from './signals.ts'

interface Login {
  readonly sub: string
  readonly sid: string
  readonly authTime: number
}

declare module 'http' {
  interface IncomingMessage {
    session: { login?: Login }
  }
}

const login: Login = { sub: 'alice', sid: 's-1', authTime: noon - 60 }

interface Site {
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const listen = async (app: express.Express): Promise<Site> => {
  const server = app.listen(0, '127.0.0.1')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { get: (path, headers = {}) => get(`http://127.0.0.1:${port}${path}`, headers) }
}

/** Not `fetch`: that one says of itself that it does not navigate. */
const get = async (url: string, headers: Record<string, string>): Promise<Response> => {
  const request = httpRequest(url, { headers })
  request.end()
  const [message] = (await once(request, 'response')) as [IncomingMessage]
  return new Response(await text(message), {
    status: message.statusCode ?? 0,
    headers: message.headers as Record<string, string>,
  })
}

const errors: unknown[] = []

/** An app with a login, unless the request says that it has none, and a guard. */
const siteWith = async (identify?: Identify<ExpressRequest>, event = revoked({ user: alice })) => {
  const enforcement = createEnforcement({
    ledger: memoryLedger(),
    policy: recommendedPolicy(),
    loginUrl: '/login',
  })
  const app = express()
  app.use((request, _, next) => {
    request.session = request.get('x-anonymous') ? {} : { login }
    next()
  })
  if (identify) app.use(guard(enforcement, identify))
  else {
    app.use(
      guard(
        enforcement,
        ({ session: { login } }) =>
          login && {
            subject: { user: issSub(idp, login.sub), session: opaque(login.sid), device: laptop },
            began: new Date(login.authTime * 1000),
          },
      ),
    )
  }
  app.get('/page', (_, response) => void response.send('the page'))
  app.use(
    (error: unknown, _: express.Request, response: express.Response, __: express.NextFunction) => {
      errors.push(error)
      response.status(500).end()
    },
  )
  return { enforcement, event, site: await listen(app) }
}

describe('guard in Express', () => {
  it('lets pass, and refuses the same session when it was revoked', async () => {
    const { enforcement, event, site } = await siteWith()
    expect((await site.get('/page')).status).toBe(503)
    await enforcement.start()
    expect(await (await site.get('/page')).text()).toBe('the page')
    await enforcement.apply(event)
    const refused = await site.get('/page')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('invalid_token')
    expect(await refused.json()).toMatchObject({ error: 'invalid_token' })
  })
  it('passes those who are not logged in on to the routes', async () => {
    const { enforcement, event, site } = await siteWith()
    await enforcement.start()
    await enforcement.apply(event)
    expect((await site.get('/page', { 'x-anonymous': '1' })).status).toBe(200)
  })
  it('sends a browser to the login, and a suspended one to a page', async () => {
    const { enforcement, event, site } = await siteWith()
    await enforcement.start()
    await enforcement.apply(event)
    const navigation = { accept: 'text/html' }
    const redirected = await site.get('/page', navigation)
    expect(redirected.status).toBe(303)
    expect(redirected.headers.get('location')).toMatch(/^\/login\?max_age=\d+$/)
    await enforcement.apply(notCompliant({ device: laptop }))
    const refused = await site.get('/page', navigation)
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('<title>')
  })
  it.each<[string, Identify<ExpressRequest>]>([
    [
      'throws',
      () => {
        throw new Error('no session store')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no session store'))],
    ['forgets when the session began', () => ({ subject: alice, began: new Date('?') })],
    ['forgets who logged the user in', () => ({ subject: opaque('s-1'), began: new Date() })],
  ])('is an error and no pass when identify %s', async (_, identify) => {
    const { enforcement, site } = await siteWith(identify)
    await enforcement.start()
    errors.length = 0
    expect((await site.get('/page')).status).toBe(500)
    expect(errors).toHaveLength(1)
  })
})
