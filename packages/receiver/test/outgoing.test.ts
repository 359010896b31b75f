import { execFile } from 'node:child_process'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '@drawbridge/core'
import type { LookupAll } from '@drawbridge/core/outgoing'
import {
  clientCredentials,
  createReceiver,
  staticToken,
  type ReceiverOptions,
} from '../src/index.ts'
import { guardedFetch } from '../src/outgoing/node-fetch.ts'
import { guardedFetch as webFetch } from '../src/outgoing/web-fetch.ts'
import { boundedFetch } from '../src/peer/bounded-fetch.ts'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'

let server: Server
let port: number
let connections: number
let respond: RequestListener

beforeEach(async () => {
  connections = 0
  respond = (_request, response) => response.end('inside')
  server = createServer((request, response) => respond(request, response))
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ;({ port } = server.address() as AddressInfo)
})
afterEach(async () => {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})

const closed = { allowedHosts: [], allowLoopback: false }
const loopback = { allowedHosts: [], allowLoopback: true }

const answering =
  (...addresses: readonly string[]): LookupAll =>
  (_name, _options, done) =>
    done(
      null,
      addresses.map((address): LookupAddress => ({ address, family: 4 })),
    )

const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => 'no error',
    (error: { code?: unknown; cause?: { code?: unknown } }) => error.code ?? error.cause?.code,
  )

/** Ways to write addresses that nobody outside may have reached. */
const insideHosts = [
  '127.0.0.1',
  '0x7f000001',
  '2130706433',
  '017700000001',
  '127.1',
  '0.0.0.0',
  '10.0.0.1',
  '169.254.169.254',
  '192.168.1.1',
  '[::1]',
  '[::]',
  '[fd00::1]',
  '[fe80::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b::169.254.169.254]',
  '[2002:7f00:1::]',
]

describe('the guarded fetch on Node', () => {
  it.each(insideHosts)('connects to no address inside: %s', async (host) => {
    const fetch = guardedFetch(closed)
    expect(await codeOf(fetch(`http://${host}:${port}/`))).toBe('ERR_ADDRESS_NOT_ALLOWED')
    expect(connections).toBe(0)
  })

  it('connects to no name that stands for one', async () => {
    const fetch = guardedFetch(closed, answering('127.0.0.1'))
    const url = `http://innocent.example:${port}/`
    expect(await codeOf(fetch(url))).toBe('ERR_ADDRESS_NOT_ALLOWED')
    expect(await codeOf(guardedFetch(closed)(`http://localhost:${port}/`))).toBe(
      'ERR_ADDRESS_NOT_ALLOWED',
    )
    expect(connections).toBe(0)
  })

  it('connects to a name once more only if it still is where it may be', async () => {
    let address = '127.0.0.1'
    const fetch = guardedFetch(loopback, (name, options, done) =>
      answering(address)(name, options, done),
    )
    respond = (_request, response) => response.setHeader('connection', 'close').end('hello')
    const url = `http://moving.example:${port}/`
    expect(await (await fetch(url)).text()).toBe('hello')
    address = '10.0.0.1'
    expect(await codeOf(fetch(url))).toBe('ERR_ADDRESS_NOT_ALLOWED')
    expect(connections).toBe(1)
  })

  it('follows no redirect, whoever asks for it', async () => {
    const lines: unknown[] = []
    respond = (request, response) => {
      lines.push(request.url)
      response.writeHead(302, { location: '/inside' }).end()
    }
    const url = `http://127.0.0.1:${port}/start`
    const response = await guardedFetch(loopback)(url, { redirect: 'follow' })
    expect([response.status, lines]).toEqual([302, ['/start']])
  })

  it('connects to hosts that are allowed by name, and to this machine where that is', async () => {
    const named = guardedFetch(
      { allowedHosts: ['signals.internal'], allowLoopback: false },
      answering('127.0.0.1'),
    )
    expect((await named(`http://signals.internal:${port}/`)).status).toBe(200)
    expect(await codeOf(named(`http://other.internal:${port}/`))).toBe('ERR_ADDRESS_NOT_ALLOWED')
    expect((await guardedFetch(loopback)(`http://127.0.0.1:${port}/`)).status).toBe(200)
  })
})

describe('the guarded fetch where only Web APIs exist', () => {
  it.each([...insideHosts, 'localhost', 'a.localhost', 'LOCALHOST.'])(
    'asks for no URL with an address inside: %s',
    async (host) => {
      const url = new URL(`http://${host}:${port}/`)
      expect(await codeOf(webFetch(closed)(url))).toBe('ERR_ADDRESS_NOT_ALLOWED')
      expect(await codeOf(webFetch(closed)(new Request(url)))).toBe('ERR_ADDRESS_NOT_ALLOWED')
      expect(connections).toBe(0)
    },
  )

  it('asks where that is allowed, and follows no redirect', async () => {
    respond = (_request, response) => response.writeHead(302, { location: '/inside' }).end()
    const url = `http://localhost:${port}/`
    const named = webFetch({ allowedHosts: ['localhost'], allowLoopback: false })
    expect((await named(url)).status).toBe(302)
    expect((await webFetch(loopback)(url, { redirect: 'follow' })).status).toBe(302)
  })

  it('is what a bundle for such a place has: no module of Node and no undici', async () => {
    const entry = new URL('../src/index.ts', import.meta.url).pathname
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        new URL('../../../node_modules/esbuild/bin/esbuild', import.meta.url).pathname,
        entry,
        '--bundle',
        '--format=esm',
        '--platform=browser',
        '--conditions=drawbridge-source',
        '--log-level=error',
      ],
      { maxBuffer: 64 * 1024 * 1024 },
    )
    expect(stdout).toContain('createReceiver')
    expect(stdout).not.toMatch(/\bundici\b/)
    expect(stdout).not.toMatch(/["']node:/)
  })
})

describe('the bounded fetch', () => {
  const bounded = (limits: { timeoutMs?: number; largestBytes?: number } = {}): typeof fetch =>
    boundedFetch(guardedFetch(loopback), {
      who: 'the Transmitter',
      timeoutMs: 5_000,
      largestBytes: 100,
      clock: systemClock,
      ...limits,
    })
  const url = (): string => `http://127.0.0.1:${port}/`

  it('gives an answer that is within its limits', async () => {
    respond = (_request, response) => response.writeHead(404, { 'x-a': 'b' }).end('x'.repeat(100))
    const response = await bounded()(url())
    expect([response.status, response.headers.get('x-a')]).toEqual([404, 'b'])
    expect(await response.text()).toBe('x'.repeat(100))
    respond = (_request, response) => response.writeHead(204).end()
    expect((await bounded()(url())).status).toBe(204)
  })

  it('breaks off an answer that is too large, whatever it said of its length', async () => {
    let isClosed = Promise.resolve<unknown>(undefined)
    respond = (_request, response) => {
      isClosed = once(response, 'close')
      response.write('x'.repeat(101))
    }
    await expect(bounded()(url())).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    await isClosed
  })

  it('breaks off an answer that drips for too long', async () => {
    let isClosed = Promise.resolve<unknown>(undefined)
    respond = (_request, response) => {
      isClosed = once(response, 'close')
      response.write('x')
    }
    const answer = bounded({ timeoutMs: 100 })(url())
    await expect(answer).rejects.toMatchObject({ name: 'PeerUnavailableError' })
    await isClosed
  })

  it('says of a connection that is refused, and of 503, that trying again can help', async () => {
    respond = (_request, response) => response.writeHead(503, { 'retry-after': '3' }).end()
    await expect(bounded()(url())).rejects.toMatchObject({
      name: 'PeerUnavailableError',
      retryAfterMs: 3000,
    })
    respond = (request) => request.socket.destroy()
    await expect(bounded()(url())).rejects.toMatchObject({ name: 'PeerUnavailableError' })
  })
})

describe('a Receiver connects to nothing inside', () => {
  let transmitter: FakeTransmitter
  beforeEach(async () => {
    transmitter = await fakeTransmitter()
  })
  afterEach(() => transmitter.close())

  /** Starts a Receiver and gives what it failed with. */
  const startWith = async (options: Partial<ReceiverOptions>): Promise<unknown> => {
    const receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      allowInsecureHttp: true,
      ...options,
    })
    try {
      await receiver.start()
      return undefined
    } catch (error) {
      return error
    } finally {
      await receiver.stop()
    }
  }
  const metadata = (more: object): object => ({
    issuer: transmitter.issuer,
    jwks_uri: `${transmitter.issuer}/jwks`,
    configuration_endpoint: `${transmitter.issuer}/streams`,
    ...more,
  })
  const notAllowed = {
    code: 'ERR_PEER_ANSWER',
    message: expect.stringContaining('"allowedHosts"') as unknown,
  }

  it('by the issuer, or the URL of its metadata', async () => {
    const inside = `https://127.0.0.1:${port}`
    const options = { allowInsecureHttp: false, issuer: inside }
    expect(await startWith(options)).toMatchObject(notAllowed)
    expect(
      await startWith({ ...options, issuer: 'https://t.example', metadataUrl: `${inside}/m` }),
    ).toMatchObject(notAllowed)
    expect(connections).toBe(0)
    // Allowed by name it is tried: this server speaks no TLS.
    const allowed = new AbortController()
    const receiver = createReceiver({
      ...options,
      audience: 'app',
      authorize: staticToken('token'),
      allowedHosts: ['127.0.0.1'],
    })
    const failed = new Promise((resolve) => receiver.events.once('peer:failed', resolve))
    const started = receiver.start({ signal: allowed.signal }).catch(() => undefined)
    expect(await failed).toMatchObject({ cause: { code: 'ERR_PEER_UNREACHABLE' } })
    allowed.abort()
    await started
    await receiver.stop()
    expect(connections).toBeGreaterThan(0)
  })

  it('by a management endpoint', async () => {
    const configuration_endpoint = 'http://10.0.0.1/streams'
    transmitter.answerNext(
      'GET /.well-known/ssf-configuration',
      200,
      metadata({ configuration_endpoint }),
    )
    const trustedOrigins = ['http://10.0.0.1']
    expect(await startWith({ trustedOrigins })).toMatchObject(notAllowed)
  })

  it('by a token endpoint', async () => {
    const tokenEndpoint = 'http://169.254.169.254/token'
    const authorize = clientCredentials({ clientId: 'a', clientSecret: 's', tokenEndpoint })
    expect(await startWith({ authorize })).toMatchObject(notAllowed)
  })

  it('by a poll endpoint, which is tried again and refused again', async () => {
    const stream = {
      stream_id: 's1',
      iss: transmitter.issuer,
      aud: 'app',
      events_delivered: [],
      delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: 'http://192.168.0.1/poll' },
    }
    transmitter.answerNext('POST /streams', 201, stream)
    const receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      trustedOrigins: ['http://192.168.0.1'],
      allowInsecureHttp: true,
    })
    const failed = new Promise((resolve) => receiver.events.once('peer:failed', resolve))
    await receiver.start()
    expect(await failed).toMatchObject({ cause: notAllowed })
    await receiver.stop()
  })

  it('by a jwks_uri: the SET is not acknowledged', async () => {
    const jwks_uri = 'http://10.0.0.1/jwks'
    transmitter.answerNext('GET /.well-known/ssf-configuration', 200, metadata({ jwks_uri }))
    const receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      push: { url: 'http://app.example/signals' },
      allowInsecureHttp: true,
    })
    const failed = new Promise((resolve) => receiver.events.once('set:unfinished', resolve))
    const body = await transmitter.sign()
    const init = { method: 'POST', body, headers: { 'content-type': 'application/secevent+jwt' } }
    const response = await receiver.fetch(new Request('http://app.example/signals', init))
    expect(response.status).toBe(503)
    expect(await failed).toMatchObject({ cause: { cause: notAllowed } })
  })

  it('option allowedHosts is checked', () => {
    const allowedHosts = 'a.example' as unknown as string[]
    expect(() => createReceiver({ allowedHosts })).toThrow(/"allowedHosts"/)
  })
})
