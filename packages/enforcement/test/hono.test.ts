import { describe, expect, it } from '@jest/globals'
import { Hono, type Context } from 'hono'
import type { Who } from '@drawbridge/enforcement'
import { guard } from '@drawbridge/enforcement/hono'
import { alice, aliceSince, revoked, startedNode } from './signals.ts'

interface Env {
  Variables: { who?: Who }
}

describe('guard in Hono', () => {
  it('reads the session from a typed context, before one route', async () => {
    const { enforcement } = await startedNode()
    const requires = ['files:write']
    const whoOf = (context: Context<Env>) => context.get('who')
    const app = new Hono<Env>()
      .use(async (context, next) => {
        context.set('who', aliceSince(-60, { grants: ['files:read'] }))
        await next()
      })
      .use(guard(enforcement, whoOf))
      .get('/page', (context) => context.text('the page'))
      .post('/page', guard(enforcement, whoOf, { requires }), (context) => context.text('written'))
    expect(await (await app.request('/page')).text()).toBe('the page')
    expect((await app.request('/page', { method: 'POST' })).status).toBe(403)
    await enforcement.apply(revoked({ user: alice }))
    expect((await app.request('/page')).status).toBe(401)
  })
  it('has the last word over headers of an earlier middleware', async () => {
    const { enforcement } = await startedNode({ clearCookie: 'sid' })
    await enforcement.apply(revoked({ user: alice }))
    const app = new Hono()
      .use(async (context, next) => {
        // To touch `res` makes an answer, whose headers Hono then prefers to those of a later one.
        context.res.headers.set('cache-control', 'public')
        context.res.headers.append('set-cookie', 'theme=dark')
        await next()
      })
      .use(guard(enforcement, () => aliceSince(-60)))
    const { status, headers } = await app.request('/page')
    expect(status).toBe(401)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.getSetCookie()).toEqual(['theme=dark', expect.stringMatching(/^sid=;/)])
  })
})
