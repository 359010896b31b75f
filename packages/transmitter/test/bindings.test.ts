import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { toNode } from '@drawbridge/transmitter/express'
import { toFastify } from '@drawbridge/transmitter/fastify'
import { toHono } from '@drawbridge/transmitter/hono'
import {
  bindingContract,
  httpContract,
  memoryContract,
  type Subject,
} from '../../../test/support/http-contract.ts'
import { mounts } from '../../../test/support/mounts.ts'
import type { Transmitter } from '../src/index.ts'
import { call, issuer, makeTransmitter } from './support.ts'

/** A Transmitter whose issuer has a path, and a request that makes a stream. */
async function makeSubject(): Promise<Subject> {
  const handler = makeTransmitter()
  await handler.start()
  return {
    handler,
    good: {
      method: 'POST',
      path: '/tenant/ssf/streams',
      headers: { authorization: 'Bearer token-one', 'content-type': 'application/json' },
      body: '{"description":"a stream"}',
    },
    status: 201,
    limitBytes: 64 * 1024,
    allow: 'POST, GET, HEAD, PATCH, PUT, DELETE, OPTIONS',
    stop: () => handler.stop(),
  }
}

describe('the HTTP contract in memory', () => memoryContract(makeSubject))

describe.each(Object.entries(mounts))('the HTTP contract in %s', (_, mount) => {
  httpContract(makeSubject, mount)
  bindingContract(mount)
})

describe('below a mount point', () => {
  let transmitter: Transmitter
  beforeEach(async () => {
    transmitter = makeTransmitter()
    await transmitter.start()
  })
  afterEach(() => transmitter.stop())

  it('the path that the peer asked for decides in Express', async () => {
    const app = express().use('/tenant', toNode(transmitter))
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}/tenant/ssf/jwks`)
    expect(answer.status).toBe(200)
    await answer.text()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  it('and in Fastify', async () => {
    const app = fastify({ forceCloseConnections: true })
    await app.register(toFastify(transmitter), { prefix: '/elsewhere' })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    expect((await fetch(`${url}/tenant/ssf/jwks`)).status).toBe(200)
    expect((await fetch(`${url}/elsewhere/tenant/ssf/jwks`)).status).toBe(404)
    await app.close()
  })

  it('Fastify knows that the answer is ours: its "handlerTimeout" ends no long poll', async () => {
    const app = fastify({ forceCloseConnections: true })
    let reply: { readonly sent: boolean } | undefined
    const isLeftAlone: unknown[] = []
    app.addHook('onRequest', async (_, asked) => void (reply = asked))
    await app.register(
      toFastify({
        serves: () => true,
        fetch: async () => {
          isLeftAlone.push(reply?.sent)
          return new Response()
        },
      }),
    )
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    expect((await fetch(url)).status).toBe(200)
    expect(isLeftAlone).toEqual([true])
    await app.close()
  })

  it('and in Hono', async () => {
    const app = new Hono().route('/tenant', new Hono().use(toHono(transmitter)))
    expect((await app.request('/tenant/ssf/jwks')).status).toBe(200)
    expect((await app.request('/ssf/jwks')).status).toBe(404)
  })
})

describe('methods', () => {
  let transmitter: Transmitter
  beforeEach(async () => {
    transmitter = makeTransmitter()
    await transmitter.start()
  })
  afterEach(() => transmitter.stop())

  it('HEAD is answered as GET is, without the body', async () => {
    for (const path of [
      '/streams',
      '/streams?stream_id=x',
      '/jwks',
      'https://idp.example/.well-known/ssf-configuration/tenant',
    ]) {
      const [get, head] = [
        await call(transmitter, `GET ${path}`),
        await call(transmitter, `HEAD ${path}`),
      ]
      expect([head.status, [...head.headers]]).toEqual([get.status, [...get.headers]])
      expect([await head.text(), (await get.text()) !== '']).toEqual(['', true])
    }
    expect((await call(transmitter, 'HEAD /streams', { token: null })).status).toBe(401)
    expect((await call(transmitter, 'HEAD /verify')).status).toBe(405)
  })

  it.each([
    ['/streams', 'POST, GET, HEAD, PATCH, PUT, DELETE, OPTIONS'],
    ['/status', 'GET, HEAD, POST, OPTIONS'],
    ['/verify', 'POST, OPTIONS'],
    ['/poll/x', 'POST, OPTIONS'],
    ['/jwks', 'GET, HEAD, OPTIONS'],
  ])('OPTIONS %s says which there are, to anybody', async (path, allow) => {
    const answer = await call(transmitter, `OPTIONS ${path}`, { token: null })
    expect([answer.status, answer.headers.get('allow'), await answer.text()]).toEqual([
      204,
      allow,
      '',
    ])
  })

  it('a path that is none of the issuer’s is 404, whatever the method', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
      const answer = await call(transmitter, `${method} ${issuer}/ssf/nothing`, { token: null })
      expect(answer.status).toBe(404)
    }
  })
})
