import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createReceiver } from '@drawbridge/receiver'
import { createAuthority } from '../../../test/support/tls.ts'
import { guardedFetch } from '../src/outgoing/node-fetch.ts'
import { guardedFetch as webFetch } from '../src/outgoing/web-fetch.ts'

const authority = createAuthority('an authority of a test')
const { ca } = authority
const allowed = { allowedHosts: ['localhost'], allowLoopback: false }
const server = createServer(
  authority.issue('localhost'),
  (_, response) => void response.end('here'),
)
let url: string

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `https://localhost:${(server.address() as AddressInfo).port}/`
})
afterAll(async () => {
  server.closeAllConnections()
  await once(server.close(), 'close')
})

describe('authorities', () => {
  it('of one’s own are trusted where they are given, and not otherwise', async () => {
    expect(await (await guardedFetch({ ...allowed, ca })(url)).text()).toBe('here')
    await expect(guardedFetch(allowed)(url)).rejects.toMatchObject({
      cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    })
  })

  it('POLL-3-1: a certificate of another name is refused, whoever issued it', async () => {
    const { port } = new URL(url)
    const rules = { allowedHosts: ['127.0.0.1'], allowLoopback: false, ca }
    await expect(guardedFetch(rules)(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  it('do not open an address that is not allowed', async () => {
    await expect(guardedFetch({ ...allowed, ca, allowedHosts: [] })(url)).rejects.toMatchObject({
      cause: { code: 'ERR_ADDRESS_NOT_ALLOWED' },
    })
  })

  it('are PEM, and for the Receiver’s own way of making requests', () => {
    expect(() => createReceiver({ ca: 'nonsense' })).toThrow('"ca" must be certificates in PEM')
    expect(() => createReceiver({ ca, fetch })).toThrow('"ca" is for the default "fetch"')
  })

  it('cannot be added where only Web APIs exist', () => {
    expect(() => webFetch({ ...allowed, ca })).toThrow('"ca" can be given on Node alone')
  })
})
