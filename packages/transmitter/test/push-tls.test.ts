import tls from 'node:tls'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { OptionsError } from '@drawbridge/core'
import { openPushServer, type PushServer } from '../../../test/support/push-server.ts'
import { createAuthority } from '../../../test/support/tls.ts'
import type { Transmitter } from '../src/index.ts'
import { createStream, makeTransmitter, nextEvent, pushTo, user } from './support.ts'
import { SessionRevoked } from '@drawbridge/schema/caep'

const authority = createAuthority('an authority of a test')
const { DEFAULT_MIN_VERSION: minVersion, DEFAULT_CIPHERS: ciphers } = tls

let transmitter: Transmitter
let server: PushServer

beforeEach(async () => {
  transmitter = makeTransmitter({ push: { ca: authority.ca } })
  await transmitter.start()
})
afterEach(async () => {
  Object.assign(tls, { DEFAULT_MIN_VERSION: minVersion, DEFAULT_CIPHERS: ciphers })
  await transmitter.stop()
  await server?.close()
})

async function push(): Promise<object> {
  await createStream(transmitter, pushTo(`https://localhost:${server.port}/signals`))
  const ended = Promise.race([
    nextEvent(transmitter, 'set:delivered'),
    nextEvent(transmitter, 'delivery:failed'),
  ])
  await transmitter.transmit(SessionRevoked, user('alice'), {})
  return await ended
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)('SET-5.1-2: pushes over %s', async (version) => {
  const tlsOptions = { ...authority.issue('localhost'), minVersion: version, maxVersion: version }
  server = await openPushServer(tlsOptions)
  expect(await push()).not.toHaveProperty('reason')
  expect(server.waiting).toBe(1)
})

it('SET-5.1-2, PUSH-5.3-3, CIOP-2.1-3: never over less than TLS 1.2, also where Node is told to', async () => {
  const weak = 'DEFAULT@SECLEVEL=0'
  Object.assign(tls, { DEFAULT_MIN_VERSION: 'TLSv1', DEFAULT_CIPHERS: weak })
  server = await openPushServer({
    ...authority.issue('localhost'),
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: weak,
  })
  expect(await push()).toHaveProperty('reason')
  expect(server.waiting).toBe(0)
})

it('"push.ca" that is no certificate is a mistake', () => {
  expect(() => makeTransmitter({ push: { ca: '/etc/ca.pem' } })).toThrow(
    expect.objectContaining({
      name: OptionsError.name,
      mistakes: ['"push.ca" must be certificates in PEM'],
    }),
  )
})
