import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { serve } from '@hono/node-server'
import type { FetchHandler } from '@drawbridge/core'
import { complex, email, issSub, StorageError, type Subject } from '@drawbridge/schema'
import {
  memoryLedger,
  tokenRevocationEndpoint,
  type EnforcementOptions,
  type TokenRevocationEndpointOptions,
} from '@drawbridge/enforcement'
import { toNode } from '@drawbridge/enforcement/express'
import { toFastify } from '@drawbridge/enforcement/fastify'
import { toHono } from '@drawbridge/enforcement/hono'
import { globalTokenRevocation } from '@drawbridge/enforcement/hooks'
import { callWith, failureOf } from './ready-made-peer.ts'
import { alice, aliceSince, idp, laptop, startedNode, type TestNode } from './signals.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const path = '/global-token-revocation'

/** Those who may ask, by their token. */
const issuers = new Map([
  ['Bearer at-1', idp],
  ['Bearer at-2', 'https://other.example'],
])

interface Site extends TestNode {
  readonly url: string
  readonly port: number
}

type Mount = (handler: FetchHandler) => Promise<number>

const portOf = (server: Pick<Server, 'address'>): number => (server.address() as AddressInfo).port

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return portOf(server)
}

const mounts: Readonly<Record<string, Mount>> = {
  'node:http': (handler) => listening(createServer(toNode(handler))),
  Express: (handler) => {
    const app = express()
    app.use(toNode(handler), express.json())
    return listening(createServer(app))
  },
  Fastify: async (handler) => {
    const app = fastify({ forceCloseConnections: true })
    await app.register(toFastify(handler))
    await app.listen({ port: 0, host: '127.0.0.1' })
    closers.push(() => app.close())
    return portOf(app.server)
  },
  Hono: async (handler) => {
    const app = new Hono()
    app.use(toHono(handler))
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    closers.push(() => server.close())
    await once(server, 'listening')
    return portOf(server)
  },
}

async function siteWith(
  options: Partial<TokenRevocationEndpointOptions> = {},
  parts: Partial<EnforcementOptions> = {},
  mount: Mount | undefined = mounts['node:http'],
): Promise<Site> {
  const node = await startedNode(parts)
  const endpoint = tokenRevocationEndpoint(node.enforcement, {
    authenticate: ({ headers }) => issuers.get(headers.get('authorization') ?? ''),
    clock: node.clock,
    ...options,
  })
  const port = (await mount?.(endpoint)) ?? 0
  return { ...node, port, url: `http://127.0.0.1:${port}${path}` }
}

const send = async (
  { url }: Site,
  subject: Subject = complex({ user: alice, device: laptop }),
  token = 'at-1',
): Promise<void> => {
  const options = { endpoint: url, authorize: () => token, allowInsecureHttp: true }
  const hook = globalTokenRevocation(options)
  await hook(callWith({ subject }))
}

const outcome = ({ enforcement }: TestNode): string => enforcement.check(aliceSince(-60)).outcome

describe('the hook globalTokenRevocation and the endpoint', () => {
  it.each(Object.entries(mounts))('understand each other, by %s', async (_, mount) => {
    const site = await siteWith({}, {}, mount)
    expect(outcome(site)).toBe('allow')
    await send(site)
    expect(outcome(site)).toBe('refuse')
    expect(site.told('signal:applied')).toMatchObject([{ subject: alice, cause: { iss: idp } }])
  })
  it('agree about a user by address, whom the application finds', async () => {
    const users = new Map([['alice@app.example', alice]])
    const resolve = (subject: Subject) => {
      if (!('email' in subject)) return []
      const user = users.get(String(subject.email))
      return user && [user]
    }
    const site = await siteWith({}, { resolve })
    await send(site, email('alice@app.example'))
    expect(outcome(site)).toBe('refuse')
  })
  it('count a user as done whom the application does not know', async () => {
    const asked: Subject[] = []
    const site = await siteWith({
      refuse: ({ subject }) => {
        asked.push(subject)
        return 'unknown-user'
      },
    })
    await send(site)
    expect([asked, site.told('signal:applied')]).toEqual([[alice], []])
  })
  it.each<[string, Partial<TokenRevocationEndpointOptions>]>([
    ['400: it does not take this format of subject', { formats: ['email'] }],
    ['401: the authorization is not accepted', { authenticate: () => undefined }],
    ['403: the authorization is not enough', { refuse: () => 'forbidden' }],
    ['422: it cannot log this user out', { refuse: () => 'unable' }],
  ])('agree about %s', async (message, options) => {
    const site = await siteWith(options)
    const { code, message: given } = await failureOf(send(site))
    expect([code, given]).toEqual([
      'ERR_PEER_ANSWER',
      `the authorization server answered ${message}`,
    ])
    expect(outcome(site)).toBe('allow')
  })
  it('try again later where the ledger cannot be written, and then it is done', async () => {
    const memory = memoryLedger()
    let isFull = true
    const full = new StorageError('ERR_STORAGE_UNAVAILABLE', 'the disk is full')
    const failures: unknown[] = []
    const site = await siteWith(
      { onFailure: (error) => failures.push(error) },
      {
        ledger: {
          ...memory,
          write: (entry) => (isFull ? Promise.reject(full) : memory.write(entry)),
        },
      },
    )
    const { code, retryAfterMs } = await failureOf(send(site))
    expect([code, retryAfterMs, failures]).toEqual(['ERR_PEER_UNREACHABLE', 5000, [full]])
    expect(await memory.readAll()).toEqual([])
    isFull = false
    await send(site)
    expect(await memory.readAll()).toMatchObject([{ on: alice, cause: { iss: idp } }])
  })
  it('leave the sessions of another identity provider alone', async () => {
    const site = await siteWith()
    await send(site, alice, 'at-2')
    await send(site, issSub('https://other.example', 'alice'), 'at-2')
    expect(outcome(site)).toBe('allow')
    await send(site)
    expect(outcome(site)).toBe('refuse')
  })
})

describe('the endpoint on a socket', () => {
  it('answers a body that is too large, and reads no further', async () => {
    const site = await siteWith()
    const socket = connect(site.port, '127.0.0.1')
    closers.push(() => socket.destroy())
    const head = [
      `POST ${path} HTTP/1.1`,
      'host: app.example',
      'authorization: Bearer at-1',
      'content-type: application/json',
      'content-length: 100000000',
      'connection: close',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(100_000)}`)
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (chunk) => resolve(String(chunk)))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })
  it('survives a caller who goes away in the middle', async () => {
    const failed = new Promise((resolve) => {
      void siteWith({ onFailure: resolve }).then(async (site) => {
        const socket = connect(site.port, '127.0.0.1')
        const head = ['content-type: application/json', 'authorization: Bearer at-1']
        socket.write(`POST ${path} HTTP/1.1\r\nhost: a\r\n${head.join('\r\n')}\r\n`)
        socket.write('content-length: 1000\r\n\r\n{"sub_id":', () => socket.destroy())
      })
    })
    expect(await failed).toMatchObject({ message: expect.stringContaining('closed') })
  })
  it('says what is wrong as JSON', async () => {
    const { url } = await siteWith()
    const headers = { authorization: 'Bearer at-1', 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: '{}' })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await text(response.body as never)).toContain('"sub_id\\" must be there"')
  })
})
