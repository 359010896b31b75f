import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { memoryInbox, createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'
import { hostileSets, type HostileSet } from './support/hostile-sets.ts'

let transmitter: FakeTransmitter
let receiver: Receiver
let server: Server
let url: string
let handled = 0
const inbox = memoryInbox()
let corpus: readonly HostileSet[] = []

beforeAll(async () => {
  transmitter = await fakeTransmitter()
  server = createServer((request, response) => toNode(receiver)(request, response))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/signals`
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    push: { url },
    allowInsecureHttp: true,
    inbox,
  })
  receiver.handle('*', () => void handled++)
  corpus = await hostileSets({ ...transmitter, audience: 'app' })
})
afterAll(async () => {
  await receiver.stop()
  await transmitter.close()
  server.closeAllConnections()
  server.close()
})

const post = (body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/secevent+jwt' } })

const errors = ['invalid_request', 'invalid_key', 'invalid_issuer', 'invalid_audience']

describe('hostile SETs', () => {
  it('JOSE-8725.3.1-1 JOSE-8725.3.2-1: of more than 300, none is accepted, and each answer is an RFC 8935 error', async () => {
    expect(corpus.length).toBeGreaterThan(300)
    const wrong: unknown[] = []
    for (const { name, token } of corpus) {
      const response = await post(token)
      const { err } = (await response.json().catch(() => ({}))) as { err?: string }
      const isRefused = [400, 413].includes(response.status) && errors.includes(err ?? '')
      if (!isRefused) wrong.push({ name, status: response.status, err })
    }
    expect(wrong).toEqual([])
    expect(handled).toBe(0)
  })

  it('none of them is remembered: the true SET with their jti is handled', async () => {
    expect(await inbox.read({ iss: transmitter.issuer, jti: 'hostile' })).toBe('unknown')
    const before = handled
    const token = await transmitter.sign({ claims: { jti: 'hostile' } })
    expect((await post(token)).status).toBe(202)
    expect(handled).toBe(before + 1)
  })

  it('all of them together cost a few requests for keys, and no other', () => {
    const lines = transmitter.requests.map(({ line }) => line)
    expect(lines.filter((line) => line === 'GET /jwks').length).toBeLessThanOrEqual(2)
    expect(new Set(lines)).toEqual(new Set(['GET /.well-known/ssf-configuration', 'GET /jwks']))
  })

  it('a true SET with any change to its bytes is refused', async () => {
    const token = await transmitter.sign({ claims: { jti: 'changed' } })
    const before = handled
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.stringMatching(/^[A-Za-z0-9_.-]{0,3}$/),
        fc.nat(2),
        async (at, inserted, removed) => {
          const changed = token.slice(0, at) + inserted + token.slice(at + removed)
          fc.pre(!isSame(changed, token))
          expect((await post(changed)).status).toBe(400)
        },
      ),
      { numRuns: 300 },
    )
    expect(handled).toBe(before)
  })

  it('any bytes at all are answered, and never with 202', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        expect((await post(new Uint8Array(bytes))).status).toBe(400)
      }),
      { numRuns: 200 },
    )
  })

  it('a body of 10 MB is refused before it is read to the end', async () => {
    const before = process.memoryUsage().heapUsed
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        post('x'.repeat(10 * 1024 * 1024)).then(
          ({ status }) => status,
          // The connection may be closed while the rest is still on its way.
          () => 413,
        ),
      ),
    )
    expect(new Set(answers)).toEqual(new Set([413]))
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(300 * 1024 * 1024)
  })
})

/** Base64url has more than one text for some bytes: unused bits at the end of a part. */
const isSame = (one: string, other: string): boolean => {
  const parts = (text: string): string[] =>
    text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'))
  return JSON.stringify(parts(one)) === JSON.stringify(parts(other))
}
