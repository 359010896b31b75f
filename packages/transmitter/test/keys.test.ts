import { generateKeyPairSync, sign as signWith, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  createLocalJWKSet,
  compactVerify,
  decodeProtectedHeader,
  generateKeyPair,
  exportJWK,
  type JSONWebKeySet,
} from 'jose'
import { memoryStore, type Signer, type SigningAlgorithm, type Transmitter } from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { manualClock } from '@drawbridge/testkit'

import {
  call,
  createStream,
  issuer,
  makeTransmitter,
  poll,
  temporaryFile,
  user,
} from './support.ts'

async function jwksOf(transmitter: Transmitter): Promise<JSONWebKeySet> {
  const metadata = await call(transmitter, `GET ${metadataUrl}`, { token: null })
  const { jwks_uri } = (await metadata.json()) as { jwks_uri: string }
  expect(jwks_uri).toMatch(/^https:/)
  const answer = await call(transmitter, `GET ${jwks_uri}`, { token: null })
  return (await answer.json()) as JSONWebKeySet
}

const metadataUrl = 'https://idp.example/.well-known/ssf-configuration/tenant'
const jwksUrl = `${issuer}/ssf/jwks`

async function oneSet(transmitter: Transmitter): Promise<string> {
  const streamId = await createStream(transmitter)
  await transmitter.transmit(SessionRevoked, user('ann'), {})
  const { sets } = await poll(transmitter, streamId)
  return Object.values(sets)[0] ?? ''
}

async function started(options: Parameters<typeof makeTransmitter>[0]): Promise<Transmitter> {
  const transmitter = makeTransmitter(options)
  await transmitter.start()
  return transmitter
}

describe('signing keys', () => {
  const rows: [SigningAlgorithm, object][] = [
    ['RS256', { kty: 'RSA', alg: 'RS256', use: 'sig' }],
    ['PS256', { kty: 'RSA', alg: 'PS256', use: 'sig' }],
    ['ES256', { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }],
  ]
  it.each(rows)(
    'SET-5.1-5, SSF-7.1-4, CIOP-2.3.3-1, JOSE-7518.3.4-1: %s verifies with the JWK Set',
    async (algorithm, jwk) => {
      const transmitter = await started({ algorithm })
      const set = await oneSet(transmitter)
      const jwks = await jwksOf(transmitter)
      expect(jwks.keys).toMatchObject([jwk])
      const { protectedHeader } = await compactVerify(set, createLocalJWKSet(jwks))
      expect(protectedHeader).toEqual({
        alg: algorithm,
        kid: jwks.keys[0]?.kid,
        typ: 'secevent+jwt',
      })
      await transmitter.stop()
    },
  )

  it.each(['RS256', 'PS256'] as const)(
    'JOSE-7518.3.3-1, JOSE-8725.3.5-1: the key of %s has 2048 bits',
    async (algorithm) => {
      const transmitter = await started({ algorithm })
      const [key] = (await jwksOf(transmitter)).keys
      expect(Buffer.from(key?.n ?? '', 'base64url')).toHaveLength(256)
      await transmitter.stop()
    },
  )

  it('JOSE-7517.4-2: publishes no private member, whatever the store has', async () => {
    const store = memoryStore()
    const opened = await store.open(issuer)
    const transmitter = await started({ store, algorithm: 'ES256' })
    const [key] = await opened.readKeys()
    if (!key) throw new Error('no key')
    const jwk = { ...(JSON.parse(key.public_jwk) as object), d: 'x', p: 'x', k: 'x', key_ops: [] }
    await opened.writeKeys([{ ...key, public_jwk: JSON.stringify(jwk) }], [])
    await transmitter.rotateKeys()
    const { keys } = await jwksOf(transmitter)
    expect(keys).toHaveLength(2)
    for (const one of keys) {
      expect(Object.keys(one).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    }
    await transmitter.stop()
    await opened.close()
  })

  it('signs each stream with its own algorithm, the key made when it is first needed', async () => {
    const store = memoryStore()
    const opened = await store.open(issuer)
    const transmitter = await started({ store })
    const one = await createStream(transmitter)
    const other = await createStream(transmitter)
    await transmitter.stop()
    for (const stream of await opened.readStreams()) {
      await opened.updateStream({ ...stream, algorithm: 'EdDSA' })
    }
    await transmitter.start()
    expect((await jwksOf(transmitter)).keys.map(({ alg }) => alg)).toEqual(['ES256'])
    await transmitter.transmit(SessionRevoked, user('ann'), {})
    // Of several that need the first key at once, one makes it.
    await Promise.all([poll(transmitter, one), poll(transmitter, other)])
    const jwks = await jwksOf(transmitter)
    expect(jwks.keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA'])
    await transmitter.stop()
    await opened.close()
  })

  it('JOSE-7518.3.2-1: refuses a symmetric algorithm', () => {
    expect(() => makeTransmitter({ algorithm: 'HS256' as 'ES256' })).toThrow(/"algorithm" must be/)
  })

  it('gives the issuers of one store keys of their own', async () => {
    const store = sqliteStore(await temporaryFile())
    const [one, other] = [
      makeTransmitter({ store }),
      makeTransmitter({ store, issuer: `${issuer}2` }),
    ]
    await Promise.all([one.start(), other.start()])
    await one.rotateKeys()
    const kids = (await jwksOf(one)).keys.map(({ kid }) => kid)
    const answer = await call(other, `GET ${issuer}2/ssf/jwks`, { token: null })
    const { keys } = (await answer.json()) as JSONWebKeySet
    expect([kids.length, keys.length]).toEqual([2, 1])
    expect(kids).not.toContain(keys[0]?.kid)
    await Promise.all([one.stop(), other.stop()])
  })

  it('refuses another secret before anything is changed', async () => {
    const store = memoryStore()
    const opened = await store.open(issuer)
    const transmitter = await started({ store })
    await transmitter.stop()
    const before = await opened.readKeys()
    const other = makeTransmitter({
      store,
      algorithm: 'EdDSA',
      secret: 'another secret, also of 32 characters',
    })
    await expect(other.start()).rejects.toMatchObject({ code: 'ERR_STORAGE_SECRET' })
    expect(await opened.readKeys()).toEqual(before)
    await opened.close()
  })
})

describe('the JWK Set', () => {
  it('may be cached for as long as a key is published before it signs', async () => {
    const transmitter = await started({ keys: { publishAheadSeconds: 120 } })
    const answer = await call(transmitter, `GET ${jwksUrl}`, { token: null })
    expect(answer.headers.get('cache-control')).toBe('public, max-age=120')
    expect(answer.headers.get('content-type')).toBe('application/json')
    await transmitter.stop()
  })

  it('is not sent again to who has it', async () => {
    const transmitter = await started({})
    const first = await call(transmitter, `GET ${jwksUrl}`, { token: null })
    const etag = first.headers.get('etag') ?? ''
    for (const known of [etag, `"other", W/${etag}`]) {
      const headers = { 'if-none-match': known }
      const again = await call(transmitter, `GET ${jwksUrl}`, { token: null, headers })
      expect(again.status).toBe(304)
      expect(again.headers.get('cache-control')).toBe('public, max-age=300')
    }
    await transmitter.rotateKeys()
    const headers = { 'if-none-match': etag }
    const changed = await call(transmitter, `GET ${jwksUrl}`, { token: null, headers })
    expect(changed.status).toBe(200)
    await transmitter.stop()
  })
})

/** A key service of a test: ES256 with node:crypto. */
function es256(kid: string, more: Partial<Signer> = {}): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    kid,
    alg: 'ES256',
    publicJwk: publicKey.export({ format: 'jwk' }),
    sign: async (data) => signRaw(data, privateKey),
    ...more,
  }
}

const signRaw = (data: Uint8Array, key: KeyObject): Uint8Array =>
  signWith('sha256', data, { key, dsaEncoding: 'ieee-p1363' })

describe('signers', () => {
  it('sign in the place of a key of the store; the first signs, all are published', async () => {
    const store = memoryStore()
    const opened = await store.open(issuer)
    const transmitter = await started({ store, signers: [es256('first'), es256('second')] })
    const set = await oneSet(transmitter)
    expect(decodeProtectedHeader(set)).toEqual({ alg: 'ES256', kid: 'first', typ: 'secevent+jwt' })
    const jwks = await jwksOf(transmitter)
    expect(jwks.keys.map(({ kid }) => kid)).toEqual(['first', 'second'])
    await compactVerify(set, createLocalJWKSet(jwks))
    expect(await opened.readKeys()).toEqual([])
    await expect(transmitter.rotateKeys({ algorithm: 'ES256' })).rejects.toMatchObject({
      name: 'OptionsError',
    })
    await transmitter.stop()
    await opened.close()
  })

  it('take the place of a key of the store, which stays published for a while', async () => {
    const clock = manualClock()
    const store = memoryStore()
    const before = await started({ store, clock })
    await before.stop()
    const signers = [es256('outside')]
    const transmitter = await started({ store, clock, signers })
    expect((await jwksOf(transmitter)).keys).toHaveLength(2)
    await clock.advance(86_400_000)
    expect((await jwksOf(transmitter)).keys.map(({ kid }) => kid)).toEqual(['outside'])
    await transmitter.stop()
  })

  it('are tried at the start: the wrong key, DER, and one that fails are told', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (const sign of [
      async (data: Uint8Array) => signRaw(data, privateKey),
      async (data: Uint8Array) => signWith('sha256', data, privateKey),
      () => Promise.reject(new Error('no access')),
    ]) {
      const transmitter = makeTransmitter({ signers: [es256('k', { sign })] })
      await expect(transmitter.start()).rejects.toMatchObject({
        name: 'SharedSignalsError',
        code: 'ERR_SIGNER',
        cause: expect.objectContaining({ message: expect.anything() }),
      })
    }
  })

  it('have five seconds', async () => {
    const clock = manualClock()
    const sign = (): Promise<Uint8Array> => {
      queueMicrotask(() => void clock.advance(5000))
      return new Promise(() => undefined)
    }
    const transmitter = makeTransmitter({ clock, signers: [es256('k', { sign })] })
    await expect(transmitter.start()).rejects.toThrow('it has not signed within five seconds')
  })

  it('may fail later: the SET is signed by a later attempt', async () => {
    const good = es256('k')
    let calls = 0
    const sign = (data: Uint8Array): Promise<Uint8Array> =>
      ++calls === 2 ? Promise.reject(new Error('busy')) : good.sign(data)
    const transmitter = await started({ signers: [{ ...good, sign }] })
    const streamId = await createStream(transmitter)
    await transmitter.transmit(SessionRevoked, user('ann'), {})
    const body = { returnImmediately: true }
    const failed = await call(transmitter, `POST /poll/${streamId}`, { body })
    expect(failed.status).toBe(500)
    expect(await failed.text()).not.toContain('busy')
    const { sets } = await poll(transmitter, streamId)
    expect(calls).toBe(3)
    await compactVerify(Object.values(sets)[0] ?? '', createLocalJWKSet(await jwksOf(transmitter)))
    await transmitter.stop()
  })

  it('JOSE-7518.3.3-1, JOSE-7517.4-2: are refused with a short or a private key', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const signers: Signer[] = [
      es256('a', { alg: 'RS256', publicJwk: short.export({ format: 'jwk' }) }),
      es256('b', { publicJwk: await exportJWK(privateKey) }),
      es256('b', { alg: 'EdDSA' }),
      es256('', { alg: 'HS256' as 'ES256', sign: undefined as never }),
    ]
    let mistakes: readonly string[] = []
    try {
      makeTransmitter({
        signers,
        keys: { keepSeconds: 1, publishAheadSeconds: 1e6, often: 1 } as object,
      })
    } catch (error) {
      ;({ mistakes } = error as { mistakes: readonly string[] })
    }
    expect(mistakes.map((mistake) => /"[^"]+"/.exec(mistake)?.[0])).toEqual([
      '"keys.often"',
      '"keys.publishAheadSeconds"',
      '"keys.keepSeconds"',
      '"signers[0].publicJwk"',
      '"signers[1].publicJwk"',
      '"signers[2].publicJwk"',
      '"signers[3].kid"',
      '"signers[3].sign"',
      '"signers[3].alg"',
      '"kid"',
    ])
  })
})
