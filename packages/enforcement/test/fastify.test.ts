import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Who } from '@drawbridge/enforcement'
import { guard } from '@drawbridge/enforcement/fastify'
import { clientOf, type Ask } from './bindings-client.ts'
import { alice, aliceSince, revoked, startedNode } from './signals.ts'

interface WithSession extends FastifyRequest {
  session?: Who
}
const identify = ({ session }: WithSession) => session

let app: FastifyInstance
beforeEach(() => {
  app = fastify({ forceCloseConnections: true })
})
afterEach(() => app.close())

const ask = async (what: Ask = {}) => {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const client = clientOf((app.server.address() as AddressInfo).port)
  const answer = await client.ask(what)
  client.close()
  return answer
}

/** As the plugins do that keep sessions. */
const addSessions = (hook: 'onRequest' | 'preValidation'): void => {
  app.addHook(hook, async (request: WithSession) => {
    request.session = aliceSince(-60, { grants: ['files:read'] })
  })
}

describe('guard in Fastify', () => {
  it.each(['onRequest', 'preValidation'] as const)(
    'sees the session of a plugin that was registered later, filled in %s',
    async (hook) => {
      const { enforcement } = await startedNode()
      app.addHook('preHandler', guard(enforcement, identify))
      addSessions(hook)
      app.get('/page', () => 'the page')
      expect((await ask()).body).toBe('the page')
      await enforcement.apply(revoked({ user: alice }))
      expect((await ask()).status).toBe(401)
    },
  )
  it.each(['onRequest', 'preValidation', 'preHandler'] as const)(
    'stands before one route, in %s',
    async (hook) => {
      const { enforcement } = await startedNode()
      addSessions('onRequest')
      const requires = ['files:write']
      let calls = 0
      app.post('/page', { [hook]: guard(enforcement, identify, { requires }) }, () => (calls += 1))
      app.get('/page', () => 'the page')
      expect((await ask()).body).toBe('the page')
      expect([(await ask({ method: 'POST' })).status, calls]).toEqual([403, 0])
    },
  )
})
