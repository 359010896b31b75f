import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import { exportJWK, generateKeyPair } from 'jose'
import { google, sseId1, strict, tolerant } from '@drawbridge/schema/profiles'
import { createReceiver, staticToken, type Receiver, type ReceiverOptions } from '../src/index.ts'
import { discover, type DiscoverRules, type KnownTransmitter } from '../src/peer/discover.ts'
import { createPeer } from '../src/peer/peer.ts'
import {
  authorizationServer,
  type TestAuthorizationServer,
} from './support/authorization-server.ts'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'

describe('discovery', () => {
  let host: TestAuthorizationServer
  let issuer: string
  beforeEach(async () => {
    host = await authorizationServer()
    issuer = `${host.issuer}/tenant`
  })
  afterEach(() => host.close())

  const metadata = (more: object = {}): object => ({
    issuer,
    jwks_uri: `${host.issuer}/jwks`,
    configuration_endpoint: `${host.issuer}/streams`,
    ...more,
  })
  const find = (rules: Partial<DiscoverRules> = {}): Promise<KnownTransmitter> => {
    const known = { issuer, metadataUrl: undefined, discovery: strict.discovery }
    const all = { ...known, allowInsecureHttp: true, ...rules }
    const peer = createPeer({
      issuer: all.issuer,
      authorize: staticToken('token'),
      trustedOrigins: [],
      allowInsecureHttp: true,
      resourceMetadata: false,
      fetch,
      clock: systemClock,
    })
    return discover(peer, all)
  }
  const lines = (): readonly string[] => host.requests.map(({ line }) => line)

  it('SSF-7.2.1-1 SSF-7.2.1-2: asks by GET at the well-known URL, without a token', async () => {
    host.answer('GET /.well-known/ssf-configuration/tenant', metadata())
    expect(await find()).toMatchObject({ issuer })
    expect(lines()).toEqual(['GET /.well-known/ssf-configuration/tenant'])
    expect(host.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('SSF-7.2.4-1: looks nowhere else unless the profile lists it', async () => {
    host.answer('GET /.well-known/sse-configuration/tenant', metadata())
    await expect(find()).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(lines()).toEqual(['GET /.well-known/ssf-configuration/tenant'])
  })

  it('COMPAT-1-1: looks where drafts had it, in the order of the profile', async () => {
    const { discovery } = tolerant
    await expect(find({ discovery })).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    expect(lines()).toEqual([
      'GET /.well-known/ssf-configuration/tenant',
      'GET /.well-known/sse-configuration/tenant',
      'GET /tenant/.well-known/sse-configuration',
      'GET /.well-known/sse-configuration',
      'GET /.well-known/risc-configuration/tenant',
    ])
    host.requests.length = 0
    await expect(find({ discovery, issuer: host.issuer })).rejects.toMatchObject({
      code: 'ERR_PEER_ANSWER',
    })
    expect(lines()).toEqual([
      'GET /.well-known/ssf-configuration',
      'GET /.well-known/sse-configuration',
      'GET /.well-known/risc-configuration',
    ])
    host.answer('GET /.well-known/risc-configuration/tenant', metadata())
    expect(await find({ discovery })).toMatchObject({ issuer })
    expect(sseId1.discovery.places).toEqual(['sse', 'sse-suffix', 'sse-host'])
  })

  it('looks at the URL that is given and nowhere else', async () => {
    const metadataUrl = `${host.issuer}/.well-known/v1/ssf-configuration`
    const rules = { metadataUrl, discovery: tolerant.discovery }
    await expect(find(rules)).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    host.answer('GET /.well-known/v1/ssf-configuration', metadata())
    expect(await find(rules)).toMatchObject({ issuer })
    expect(new Set(lines())).toEqual(new Set(['GET /.well-known/v1/ssf-configuration']))
  })

  it('SSF-7.2.4-2: takes the identical issuer alone, wherever the metadata was', async () => {
    const other = { discovery: tolerant.discovery, metadataUrl: `${host.issuer}/m` }
    for (const wrong of [host.issuer, `${issuer}/`, issuer.toUpperCase(), undefined]) {
      host.answer('GET /.well-known/ssf-configuration/tenant', metadata({ issuer: wrong }))
      host.answer('GET /m', metadata({ issuer: wrong }))
      await expect(find()).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
      await expect(find(other)).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
    }
  })

  it('takes a trailing slash more or less where the profile says so', async () => {
    const { discovery } = google
    const line = 'GET /.well-known/risc-configuration/tenant'
    host.answer(line, metadata({ issuer: `${issuer}/` }))
    expect(await find({ discovery })).toMatchObject({ issuer: `${issuer}/` })
    host.answer(line, metadata({ issuer: `${issuer}//` }))
    await expect(find({ discovery })).rejects.toMatchObject({ code: 'ERR_PEER_ISSUER' })
  })

  it.each([
    'jwks_uri',
    'configuration_endpoint',
    'status_endpoint',
    'add_subject_endpoint',
    'remove_subject_endpoint',
    'verification_endpoint',
  ])('SSF-7.1-11: refuses a plain http "%s"', async (name) => {
    const secure = {
      jwks_uri: 'https://t.example/jwks',
      configuration_endpoint: 'https://t.example/streams',
    }
    const line = 'GET /.well-known/ssf-configuration/tenant'
    host.answer(line, metadata(secure))
    expect(await find({ allowInsecureHttp: false })).toMatchObject(secure)
    host.answer(line, metadata({ ...secure, [name]: 'http://t.example/x' }))
    await expect(find({ allowInsecureHttp: false })).rejects.toMatchObject({
      code: 'ERR_PEER_ANSWER',
      message: `"${name}" in the metadata must be an https URL`,
    })
  })
})

describe('a Receiver', () => {
  let transmitter: FakeTransmitter
  let receiver: Receiver | undefined
  let now: number
  const clock: Clock = { ...systemClock, now: () => now }
  beforeEach(async () => {
    now = Date.now()
    transmitter = await fakeTransmitter()
  })
  afterEach(async () => {
    await receiver?.stop()
    receiver = undefined
    await transmitter.close()
  })
  const wellKnown = 'GET /.well-known/ssf-configuration'
  const make = (options: Partial<ReceiverOptions> = {}): Receiver =>
    (receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      push: { url: 'http://app.example/signals' },
      allowInsecureHttp: true,
      clock,
      ...options,
    }))
  const push = async (body: string): Promise<number> => {
    const init = { method: 'POST', body, headers: { 'content-type': 'application/secevent+jwt' } }
    const response = await receiver?.fetch(new Request('http://app.example/signals', init))
    return response?.status ?? 0
  }
  const count = (line: string): number =>
    transmitter.requests.filter((request) => request.line === line).length
  const metadata = (more: object = {}): object => ({
    issuer: transmitter.issuer,
    jwks_uri: `${transmitter.issuer}/jwks`,
    configuration_endpoint: `${transmitter.issuer}/streams`,
    ...more,
  })

  it('SSF-7.2-1: is told an issuer over https, and where its metadata is, over https too', () => {
    const insecure = { allowInsecureHttp: false, issuer: 'http://t.example' }
    expect(() => make({ ...insecure, metadataUrl: 'http://t.example/m' })).toThrow(
      /"issuer".*"metadataUrl"/,
    )
  })

  it('finds the metadata at "metadataUrl"', async () => {
    const line = 'GET /.well-known/v1/ssf-configuration'
    transmitter.answerNext(line, 200, metadata())
    const metadataUrl = `${transmitter.issuer}/.well-known/v1/ssf-configuration`
    await make({ metadataUrl }).start()
    expect([count(line), count(wellKnown)]).toEqual([1, 0])
  })

  it('JOSE-8725.3.10-1: asks nobody for keys because of a SET that is not its own', async () => {
    make()
    const iss = 'https://elsewhere.example'
    expect(await push(await transmitter.sign({ claims: { iss } }))).toBe(400)
    expect(await push(await transmitter.sign({ header: { typ: 'JWT' } }))).toBe(400)
    expect(await push(await transmitter.sign({ header: { kid: 'x' }, claims: { iss } }))).toBe(400)
    expect(transmitter.requests).toEqual([])
    expect(await push(await transmitter.sign())).toBe(202)
    expect([count(wellKnown), count('GET /jwks')]).toEqual([1, 1])
  })

  it('JOSE-8725.3.10-1: nor later, by a kid that is unknown or was retired', async () => {
    // The cool-down of the keys goes by the clock of the machine.
    const machine = Date.now
    let ahead = 0
    Date.now = () => machine() + ahead
    try {
      make()
      const claims = { iss: 'https://elsewhere.example' }
      expect(await push(await transmitter.sign())).toBe(202)
      ahead += 31_000
      expect(await push(await transmitter.sign({ header: { kid: 'x' }, claims }))).toBe(400)
      expect(count('GET /jwks')).toBe(1)
      const { privateKey: key, publicKey } = await generateKeyPair('ES256')
      const keys = [{ ...(await exportJWK(publicKey)), kid: 'k2', alg: 'ES256' }]
      transmitter.answerNext('GET /jwks', 200, { keys })
      expect(await push(await transmitter.sign({ header: { kid: 'k2' }, key }))).toBe(202)
      expect(count('GET /jwks')).toBe(2)
      ahead += 31_000
      expect(await push(await transmitter.sign({ claims }))).toBe(400)
      expect(count('GET /jwks')).toBe(2)
    } finally {
      Date.now = machine
    }
  })

  it('keeps the metadata for an hour, and goes on with it while it cannot be read', async () => {
    make()
    expect(await push(await transmitter.sign())).toBe(202)
    now += 3_599_999
    expect(await push(await transmitter.sign())).toBe(202)
    expect(count(wellKnown)).toBe(1)
    now += 1
    transmitter.answerNext(wellKnown, 500)
    expect(await push(await transmitter.sign())).toBe(202)
    expect(count(wellKnown)).toBe(2)
  })

  it('reads the metadata again when the keys cannot be had, once in 30 seconds', async () => {
    make()
    transmitter.answerNext(wellKnown, 200, metadata({ jwks_uri: `${transmitter.issuer}/gone` }))
    expect(await push(await transmitter.sign())).toBe(503)
    now += 29_999
    expect(await push(await transmitter.sign())).toBe(503)
    expect(count(wellKnown)).toBe(1)
    now += 1
    expect(await push(await transmitter.sign())).toBe(202)
    expect([count(wellKnown), count('GET /jwks')]).toEqual([2, 1])
  })

  it('reads the metadata again when an endpoint cannot be reached, once in 30 seconds', async () => {
    const gone = 'http://127.0.0.1:1'
    const configuration_endpoint = `${gone}/streams`
    transmitter.answerNext(wellKnown, 200, metadata({ configuration_endpoint }))
    transmitter.answerNext(wellKnown, 200, metadata())
    const watchMs = 600_000
    const sleep: Clock['sleep'] = (ms, signal) => {
      // The watch over the stream would spin.
      if (ms >= watchMs) return systemClock.sleep(ms, signal)
      now += ms
      return Promise.resolve()
    }
    const began = now
    make({ trustedOrigins: [gone], clock: { ...clock, sleep }, random: () => 0 })
    await receiver?.start()
    expect(count(wellKnown)).toBe(2)
    expect(count('POST /streams')).toBe(1)
    expect(now - began).toBeLessThan(60_000)
  })

  it('reads the metadata again at the next start when an endpoint was not there', async () => {
    const moved = metadata({ configuration_endpoint: `${transmitter.issuer}/moved` })
    transmitter.answerNext(wellKnown, 200, moved)
    transmitter.answerNext(wellKnown, 200, metadata())
    make()
    await expect(receiver?.start()).rejects.toMatchObject({ code: 'ERR_PEER_ANSWER' })
    now += 30_000
    await receiver?.start()
    expect(count(wellKnown)).toBe(2)
  })

  it('takes "iss" with or without a trailing slash where the profile says so', async () => {
    const claims = { iss: `${transmitter.issuer}/` }
    const line = 'GET /.well-known/risc-configuration'
    make()
    expect(await push(await transmitter.sign({ claims }))).toBe(400)
    make({ profile: google })
    transmitter.answerNext(wellKnown, 404)
    transmitter.answerNext(line, 200, metadata())
    expect(await push(await transmitter.sign({ claims }))).toBe(202)
    expect(await push(await transmitter.sign())).toBe(202)
  })
})
