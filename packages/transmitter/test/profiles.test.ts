import { afterEach, describe, expect, it } from '@jest/globals'
import {
  aliases,
  complex,
  createProfile,
  email,
  issSub,
  opaque,
  poll,
  push,
  SetError,
  type Profile,
  type SubjectInput,
} from '@drawbridge/schema'
import {
  CredentialChange,
  DeviceComplianceChange,
  RiskLevelChange,
  SessionRevoked,
} from '@drawbridge/schema/caep'
import {
  apple,
  caepInterop,
  everyProfile,
  googleWorkspace,
  okta,
  sgnl,
  sseId1,
  strict,
  tolerant,
} from '@drawbridge/schema/profiles'
import { SessionsRevoked } from '@drawbridge/schema/risc'
import { Verification } from '@drawbridge/schema/ssf'
import {
  memoryStore,
  staticTokens,
  type Transmitter,
  type TransmitterOptions,
} from '../src/index.ts'
import { call, claimsOf, issuer, makeTransmitter, nextEvent, poll as pollSets } from './support.ts'

const tokens = ['one', 'two', 'three', 'four'].map((id) => ({
  token: `token-${id}`,
  id,
  audience: `https://${id}.example`,
}))

type ByReceiver = Readonly<Record<string, Profile>>

const draftPush = 'https://schemas.openid.net/secevent/risc/delivery-method/push'
const draftPoll = 'https://schemas.openid.net/secevent/risc/delivery-method/poll'
const address = email('alice@idp.example')
const reason = { reason_admin: { en: 'Account closed' } }
const events_requested = [SessionRevoked.uri]

let transmitter: Transmitter
afterEach(() => transmitter.stop())

/** A started Transmitter whose Receivers have these profiles. */
async function startWith(
  profiles: ByReceiver,
  options: Partial<TransmitterOptions> = {},
): Promise<void> {
  const known = staticTokens(tokens)
  transmitter = makeTransmitter({
    authenticate: async (request) => {
      const identity = await known(request)
      const profile = profiles[identity?.id ?? '']
      return identity && { ...identity, ...(profile ? { profile } : {}) }
    },
    ...options,
  })
  await transmitter.start()
}

const ask = (route: string, body?: unknown, token = 'token-one'): Promise<Response> =>
  call(transmitter, route, { ...(body === undefined ? {} : { body }), token })

const json = async (answer: Response): Promise<unknown> => answer.json()

/** Creates a stream and tells its name from the store's side, whatever the profile answers. */
async function streamOf(receiver: string, body: object = {}): Promise<string> {
  const created = nextEvent(transmitter, 'stream:created')
  await ask('POST /streams', { events_requested, ...body }, `token-${receiver}`)
  return (await created).stream_id
}

/** The claims of the SETs that a poll of a stream returns. */
async function setsOf(streamId: string, token = 'token-one'): Promise<unknown[]> {
  const answer = await ask(`POST /poll/${streamId}`, { returnImmediately: true }, token)
  const { sets } = (await answer.json()) as { sets: Record<string, string> }
  return Object.values(sets).map((set): unknown => claimsOf(set))
}

describe('a request that names no stream', () => {
  const unnamed: readonly (readonly [route: string, body: object | undefined])[] = [
    ['GET /status', undefined],
    ['POST /status', { status: 'enabled' }],
    ['POST /verify', { state: 's' }],
    ['PATCH /streams', { description: 'ours' }],
    ['POST /subjects:add', { subject: address }],
    ['POST /subjects:remove', { subject: address }],
    ['DELETE /streams', undefined],
  ]

  it.each(unnamed)('GAP-10: %s is 400', async (route, body) => {
    await startWith({})
    await streamOf('one')
    expect((await ask(route, body)).status).toBe(400)
  })

  it.each(unnamed)('apple: %s means the only stream', async (route, body) => {
    await startWith({ one: apple, two: apple })
    await streamOf('two')
    expect((await ask(route, body)).status).toBe(404)
    await streamOf('one')
    expect((await ask(route, body)).ok).toBe(true)
    if (route.startsWith('DELETE')) {
      expect((await ask('GET /streams')).status).toBe(404)
      expect((await ask('GET /streams', undefined, 'token-two')).status).toBe(200)
    }
  })

  it('apple: GET answers with the stream itself, strict with an array', async () => {
    await startWith({ one: apple })
    const stream_id = await streamOf('one')
    expect(await json(await ask('GET /streams'))).toMatchObject({ stream_id })
    await streamOf('two')
    expect(await json(await ask('GET /streams', undefined, 'token-two'))).toHaveLength(1)
  })

  it('apple: a second stream is 409: nobody could tell which is meant', async () => {
    await startWith({ one: apple })
    await streamOf('one')
    expect((await ask('POST /streams', {})).status).toBe(409)
  })

  it('apple: several that were there before are told apart by name alone', async () => {
    const profiles: Record<string, Profile> = {}
    await startWith(profiles)
    const first = await streamOf('one')
    await streamOf('one')
    profiles['one'] = apple
    expect((await ask('DELETE /streams')).status).toBe(400)
    expect((await ask(`DELETE /streams?stream_id=${first}`)).status).toBe(204)
  })
})

describe('what drafts called differently', () => {
  const endpoint_url = 'https://receiver.example/events'
  const sent = {
    iss: 'https://somebody.example',
    aud: 'https://somebody.example',
    format: 'email',
    delivery: { method: draftPush, endpoint_url },
  }

  it('strict refuses the URI of a draft, and members that it supplies', async () => {
    await startWith({})
    expect((await ask('POST /streams', { delivery: sent.delivery })).status).toBe(400)
    expect((await ask('POST /streams', { iss: issuer })).status).toBe(400)
    expect((await ask('POST /streams', { aud: 'https://one.example' })).status).toBe(400)
    const delivery = { delivery_method: push, url: endpoint_url }
    expect((await ask('POST /streams', { delivery })).status).toBe(400)
  })

  it('COMPAT-1-2: apple may send them, and is answered in its spelling with what is so', async () => {
    await startWith({ one: apple })
    const answer = await ask('POST /streams', sent)
    expect(answer.status).toBe(201)
    const delivery = { method: draftPush, endpoint_url }
    const isSo = { iss: issuer, aud: 'https://one.example', delivery }
    const stream = (await json(answer)) as object
    expect(stream).toMatchObject(isSo)
    expect(stream).not.toHaveProperty('format')
    expect(await json(await ask('GET /streams'))).toMatchObject(isSo)
    const replaced = await ask('PUT /streams', { ...sent, description: 'ours' })
    expect(await json(replaced)).toMatchObject({ ...isSo, description: 'ours' })
  })

  it.each([
    [
      { delivery_method: push, url: endpoint_url },
      { method: push, endpoint_url },
    ],
    [
      { method: draftPush, endpoint_url },
      { method: push, endpoint_url },
    ],
    [{ delivery_method: draftPoll }, { method: poll }],
    [
      { delivery_method: draftPush, method: push, url: 'https://x.example', endpoint_url },
      { method: push, endpoint_url },
    ],
  ])('COMPAT-1-2 COMPAT-1-3: tolerant reads the delivery %j', async (delivery, final) => {
    await startWith({ one: tolerant })
    const answer = await ask('POST /streams', { delivery })
    expect(answer.status).toBe(201)
    expect(await json(answer)).toMatchObject({ delivery: final })
  })

  it.each([false, true])('draft metadata by option alone: %s', async (draftMetadata) => {
    await startWith({}, { draftMetadata })
    const url = 'https://idp.example/.well-known/sse-configuration/tenant'
    const answer = await ask(`GET ${url}`)
    expect(answer.status).toBe(draftMetadata ? 200 : 404)
    if (draftMetadata) expect(await json(answer)).toMatchObject({ issuer, spec_version: '1_0' })
  })
})

describe('the statuses of answers', () => {
  it.each(everyProfile)('are those of $name', async (profile) => {
    await startWith({ one: profile })
    const { statusFor } = profile.serves
    const created = nextEvent(transmitter, 'stream:created')
    const answer = await ask('POST /streams', { events_requested })
    const { stream_id } = await created
    expect(answer.status).toBe(statusFor.createStream)
    const removed = await ask('POST /subjects:remove', { stream_id, subject: address })
    expect(removed.status).toBe(statusFor.removeSubject)
    expect((await ask('POST /verify', { stream_id })).status).toBe(statusFor.verification)
    const deleted = await ask(`DELETE /streams?stream_id=${stream_id}`)
    expect(deleted.status).toBe(statusFor.deleteStream)
  })
})

describe('a poll', () => {
  async function three(profile: Profile): Promise<string> {
    await startWith({ one: profile })
    const streamId = await streamOf('one')
    for (const name of ['a', 'b', 'c']) {
      await transmitter.transmit(SessionRevoked, { user: opaque(name) }, reason)
    }
    return streamId
  }

  it('of sgnl takes "max_events", and is told of no more', async () => {
    const streamId = await three(sgnl)
    const answer = await pollSets(transmitter, streamId, { max_events: 2 })
    expect(Object.keys(answer.sets)).toHaveLength(2)
    expect(answer).not.toHaveProperty('moreAvailable')
  })

  it('of strict knows no "max_events"', async () => {
    const streamId = await three(strict)
    const answer = await pollSets(transmitter, streamId, { max_events: 2 })
    expect(Object.keys(answer.sets)).toHaveLength(3)
  })

  it('goes by "maxEvents" where both are there', async () => {
    const streamId = await three(tolerant)
    const two = await pollSets(transmitter, streamId, { maxEvents: 2, max_events: 1 })
    expect(Object.keys(two.sets)).toHaveLength(2)
    expect(two.moreAvailable).toBe(true)
  })

  it('of tolerant is held no longer than "timeoutSecs"', async () => {
    await startWith({ one: tolerant })
    const streamId = await streamOf('one')
    const answer = await ask(`POST /poll/${streamId}`, { timeoutSecs: 0.02 })
    expect(await json(answer)).toEqual({ sets: {} })
  })
})

describe('sse-id1', () => {
  it('COMPAT-1-13: knows one stream, which has no name', async () => {
    await startWith({ one: sseId1 })
    const stream_id = await streamOf('one', { description: 'ours' })
    const stream = await json(await ask('GET /streams'))
    expect(stream).toMatchObject({ iss: issuer, description: 'ours' })
    expect(stream).toHaveProperty('delivery.method', draftPoll)
    expect(stream).not.toHaveProperty('stream_id')
    const ofSubject = encodeURIComponent(JSON.stringify(address))
    const status = await ask(`GET /status?subject=${ofSubject}`)
    expect(await json(status)).toEqual({ status: 'enabled' })
    const paused = await ask('POST /status', { status: 'paused', subject: address })
    expect(await json(paused)).toEqual({ status: 'paused' })
    expect(await json(await ask(`GET /streams?stream_id=${stream_id}`))).toEqual(stream)
  })

  it('COMPAT-1-13: replaces it by POST, and deletes it with 200', async () => {
    await startWith({ one: sseId1 })
    const stream_id = await streamOf('one', { description: 'ours' })
    const updated = nextEvent(transmitter, 'stream:updated')
    const answer = await ask('POST /streams', { delivery: { method: draftPoll } })
    expect(answer.status).toBe(200)
    expect(await json(answer)).not.toHaveProperty('description')
    expect(await updated).toMatchObject({ stream_id })
    expect((await ask('DELETE /streams')).status).toBe(200)
    expect((await ask('GET /streams')).status).toBe(404)
  })
})

describe('an event', () => {
  it('SSF-3.1.1-1 SSF-3.1.1-2 RISC-3.1-1: reaches each Receiver in its form, from one record', async () => {
    await startWith({ one: strict, two: okta, three: googleWorkspace, four: sseId1 })
    const streams = new Map<string, string>()
    for (const { id } of tokens) streams.set(id, await streamOf(id))
    const subject = aliases(issSub(issuer, 'alice'), address)
    const { txn } = await transmitter.transmit(SessionRevoked, subject, reason)
    const seen = async (id: string): Promise<unknown> =>
      (await setsOf(streams.get(id) ?? '', `token-${id}`))[0]
    const uri = SessionRevoked.uri
    const common = { iss: issuer, txn, sub_id: subject }
    const ofStrict = await seen('one')
    expect(ofStrict).toMatchObject({ ...common, aud: 'https://one.example' })
    expect(ofStrict).toHaveProperty('events', { [uri]: reason })
    const repeated = { events: { [uri]: { ...reason, subject } } }
    expect(await seen('two')).toMatchObject({ ...common, ...repeated, aud: 'https://two.example' })
    expect(await seen('three')).toMatchObject({
      aud: 'https://sharedsignals.googleapis.com',
      sub_id: address,
      events: { [uri]: { ...reason, subject: address } },
    })
    expect(await seen('four')).toMatchObject({ ...common, ...repeated })
  })

  it('keeps the profile that its stream was created with', async () => {
    const profiles: Record<string, Profile> = { one: okta }
    await startWith(profiles)
    const streamId = await streamOf('one')
    profiles['one'] = strict
    await transmitter.transmit(SessionRevoked, address, reason)
    expect(await setsOf(streamId)).toMatchObject([
      { events: { [SessionRevoked.uri]: { subject: address } } },
    ])
  })

  it('about the stream has the name of the draft for sse-id1, and no subject in it', async () => {
    await startWith({ one: sseId1 })
    const streamId = await streamOf('one')
    await ask('POST /verify', { state: 's' })
    const type = Verification.uri.replace('/ssf/', '/sse/')
    const [set] = await setsOf(streamId)
    expect(set).toHaveProperty('events', { [type]: { state: 's' } })
    expect(set).toHaveProperty('sub_id', opaque(streamId))
  })

  it('of a type that its Receiver cannot take is not delivered, whoever asks', async () => {
    await startWith({ one: googleWorkspace })
    const asked = { events_requested: [SessionRevoked.uri, CredentialChange.uri] }
    const streamId = await streamOf('one', asked)
    const delivered = { ...asked, events_delivered: [SessionRevoked.uri] }
    expect(await json(await ask(`GET /streams?stream_id=${streamId}`))).toMatchObject(delivered)
    const change = { ...asked, stream_id: streamId, delivery: { method: poll } }
    expect(await json(await ask('PATCH /streams', change))).toMatchObject(delivered)
    expect(await json(await ask('PUT /streams', change))).toMatchObject(delivered)
  })
})

describe('the signature of a stream', () => {
  const algorithmOf = async (id: string): Promise<unknown> => {
    const streamId = await streamOf(id)
    await transmitter.transmit(SessionRevoked, address, reason)
    const body = { returnImmediately: true }
    const answer = await ask(`POST /poll/${streamId}`, body, `token-${id}`)
    const { sets } = (await answer.json()) as { sets: Record<string, string> }
    const [header = ''] = (Object.values(sets)[0] ?? '').split('.')
    return JSON.parse(Buffer.from(header, 'base64url').toString()) as unknown
  }

  it('CIOP-2.6-1: is as the profile demands, where the Transmitter signs otherwise', async () => {
    await startWith({ one: caepInterop }, { algorithm: 'ES256' })
    expect(await algorithmOf('one')).toMatchObject({ alg: 'RS256' })
    expect(await algorithmOf('two')).toMatchObject({ alg: 'ES256' })
  })

  it('is as the Receiver is said to want it, unless its profile forbids that', async () => {
    const profiles: ByReceiver = { two: caepInterop }
    const authenticate = staticTokens(
      tokens.map((token) => ({
        ...token,
        algorithm: 'EdDSA',
        profile: profiles[token.id] ?? strict,
      })),
    )
    await startWith({}, { authenticate })
    expect(await algorithmOf('one')).toMatchObject({ alg: 'EdDSA' })
    const failed = nextEvent(transmitter, 'request:failed')
    expect((await ask('POST /streams', {}, 'token-two')).status).toBe(500)
    expect((await failed).cause).toMatchObject({
      message: expect.stringContaining('"algorithm" of a Receiver'),
    })
  })
})

describe('an event that a profile forbids', () => {
  it('CIOP-3.1-2: is recorded for nobody, and the member is named', async () => {
    await startWith({ two: caepInterop })
    const ofStrict = await streamOf('one')
    await streamOf('two')
    const recorded: unknown[] = []
    transmitter.events.on('event:recorded', (event) => recorded.push(event))
    await expect(transmitter.transmit(SessionRevoked, address, {})).rejects.toMatchObject({
      name: 'SetError',
      code: 'ERR_SET_PAYLOAD',
      message: expect.stringContaining('"reason_admin"'),
    })
    expect(recorded).toEqual([])
    expect(await setsOf(ofStrict)).toEqual([])
    await transmitter.transmit(SessionRevoked, address, reason)
    expect(await setsOf(ofStrict)).toHaveLength(1)
  })

  it('passes where no stream of the profile has it', async () => {
    await startWith({ two: caepInterop })
    const ofStrict = await streamOf('one')
    await streamOf('two', { events_requested: [CredentialChange.uri] })
    await transmitter.transmit(SessionRevoked, address, {})
    expect(await setsOf(ofStrict)).toHaveLength(1)
  })

  it('does not hold up the events after it', async () => {
    await startWith({ one: caepInterop })
    const streamId = await streamOf('one')
    const refused = transmitter.transmit(SessionRevoked, address, {})
    const recorded = transmitter.transmit(SessionRevoked, address, reason)
    await expect(refused).rejects.toMatchObject({ name: 'SetError' })
    await recorded
    expect(await setsOf(streamId)).toHaveLength(1)
  })

  it('RISC-2.11-2: sessions-revoked is not sent, unless a profile for old peers is chosen', async () => {
    const eventsSupported = [SessionRevoked, SessionsRevoked]
    await startWith({}, { eventsSupported })
    await expect(transmitter.transmit(SessionsRevoked, address, {})).rejects.toMatchObject({
      code: 'ERR_SET_PAYLOAD',
    })
    await transmitter.stop()
    await startWith({}, { eventsSupported, profile: tolerant })
    const streamId = await streamOf('one', { events_requested: [SessionsRevoked.uri] })
    await transmitter.transmit(SessionsRevoked, address, {})
    expect(await setsOf(streamId)).toHaveLength(1)
  })
})

/** Finds no form for anything. */
function refuse(): never {
  throw new SetError('ERR_SET_CLAIM', 'invalid_request', 'there is no form')
}

describe('a profile of your own', () => {
  const partner = createProfile({
    name: 'partner',
    write: [(claims) => ({ ...claims, partner: true })],
  })

  it('is found by its name after a start', async () => {
    const store = memoryStore()
    await startWith({ one: partner }, { store, profiles: [partner] })
    const streamId = await streamOf('one')
    await transmitter.transmit(SessionRevoked, address, reason)
    await transmitter.stop()
    await startWith({ one: partner }, { store, profiles: [partner] })
    expect(await setsOf(streamId)).toMatchObject([{ partner: true }])
  })

  it('that a stream has and nobody gives any more is named at start', async () => {
    const store = memoryStore()
    await startWith({ one: partner }, { store, profiles: [partner] })
    await streamOf('one')
    await transmitter.stop()
    transmitter = makeTransmitter({ store })
    await expect(transmitter.start()).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining('"partner"'),
    })
  })

  it('that is not in "profiles" makes no stream', async () => {
    await startWith({ one: partner })
    const failed = nextEvent(transmitter, 'request:failed')
    expect((await ask('POST /streams', {})).status).toBe(500)
    expect((await failed).cause).toMatchObject({
      message: expect.stringContaining('"profiles" must have "partner"'),
    })
  })

  it('that writes otherwise since an event was recorded does not hold it back', async () => {
    const store = memoryStore()
    await startWith({ one: partner }, { store, profiles: [partner] })
    const streamId = await streamOf('one')
    await transmitter.transmit(SessionRevoked, address, reason)
    await transmitter.stop()
    const stricter = createProfile({ name: 'partner', write: [refuse] })
    await startWith({ one: stricter }, { store, profiles: [stricter] })
    expect(await setsOf(streamId)).toHaveLength(1)
  })
})

describe('a Transmitter of caep-interop', () => {
  const supported = [SessionRevoked, CredentialChange, DeviceComplianceChange, RiskLevelChange]
  const options = {
    profile: caepInterop,
    algorithm: undefined,
    eventsSupported: supported,
  } as unknown as Partial<TransmitterOptions>

  it('CIOP-2.6-1: signs with RS256 and 2048 bits, and with nothing else', async () => {
    expect(() => makeTransmitter({ ...options, algorithm: 'ES256' })).toThrow(
      '"algorithm" must be "RS256"',
    )
    await startWith({}, options)
    const { keys } = (await json(await ask('GET /jwks'))) as { keys: { alg: string; n: string }[] }
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256'])
    expect(Buffer.from(keys[0]?.n ?? '', 'base64url').length * 8).toBeGreaterThanOrEqual(2048)
    const streamId = await streamOf('one')
    await transmitter.transmit(SessionRevoked, address, reason)
    const { sets } = await pollSets(transmitter, streamId)
    const [header = ''] = (Object.values(sets)[0] ?? '').split('.')
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg: string }
    expect(alg).toBe('RS256')
  })

  it('CIOP-2.3.1-1 CIOP-2.3.2-1 CIOP-2.3.3-1 CIOP-2.3.4-1 CIOP-2.3.5-1 CIOP-2.3.6-1 CIOP-2.3.7-1: has the metadata', async () => {
    await startWith({}, options)
    const url = 'https://idp.example/.well-known/ssf-configuration/tenant'
    expect(await json(await ask(`GET ${url}`))).toMatchObject({
      spec_version: '1_0',
      delivery_methods_supported: [push, poll],
      jwks_uri: `${issuer}/ssf/jwks`,
      configuration_endpoint: `${issuer}/ssf/streams`,
      status_endpoint: `${issuer}/ssf/status`,
      verification_endpoint: `${issuer}/ssf/verify`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    })
  })

  it('CIOP-2.3.8.1-1 CIOP-2.3.8.1-2 CIOP26-2.3.8.1-1: makes push and poll streams', async () => {
    await startWith({}, options)
    const url = 'https://receiver.example/events'
    const pushed = await ask('POST /streams', { delivery: { method: push, endpoint_url: url } })
    expect(await json(pushed)).toMatchObject({ delivery: { method: push, endpoint_url: url } })
    const polled = await ask('POST /streams', { delivery: { method: poll } })
    expect(await json(polled)).toMatchObject({ delivery: { method: poll } })
  })

  it('CIOP-2.3.5-2 CIOP-2.3.8.2-1 CIOP-2.3.8.2-3 CIOP-2.3.8.2-4 CIOP-2.3.8.2-5 CIOP26-2.3.8-1 CIOP26-2.3.8.2-1: has every operation', async () => {
    await startWith({}, options)
    const stream_id = await streamOf('one')
    const query = `stream_id=${stream_id}`
    expect(await json(await ask(`GET /streams?${query}`))).toMatchObject({ stream_id })
    expect((await ask('POST /verify', { stream_id, state: 's' })).status).toBe(204)
    expect(await setsOf(stream_id)).toMatchObject([{ events: { [Verification.uri]: {} } }])
    for (const status of ['paused', 'disabled', 'enabled']) {
      expect((await ask('POST /status', { stream_id, status })).status).toBe(200)
      expect(await json(await ask(`GET /status?${query}`))).toMatchObject({ status })
    }
    expect((await ask(`DELETE /streams?${query}`)).status).toBe(204)
  })

  const change = { credential_type: 'password', change_type: 'update' } as const
  const compliance = { previous_status: 'compliant', current_status: 'not-compliant' } as const
  const risk = { principal: 'USER', current_level: 'HIGH' } as const
  const useCases = [
    { type: SessionRevoked, payload: {} },
    { type: CredentialChange, payload: change },
    { type: DeviceComplianceChange, payload: compliance },
    { type: RiskLevelChange, payload: risk },
  ] as const

  it.each(useCases)(
    'CIOP-3.1-1 CIOP-3.1-2 CIOP-3.2-1 CIOP-3.2-4 CIOP26-3.3-1 CIOP26-3.3-3 CIOP26-3.4-1: sends $type.name with a reason, and never without',
    async ({ type, payload }) => {
      await startWith({}, options)
      const streamId = await streamOf('one', { events_requested: [type.uri] })
      const send = (more: object, subject: SubjectInput = address): Promise<unknown> =>
        transmitter.transmit<object>(type, subject, { ...payload, ...more })
      for (const wrong of [{}, { reason_admin: { en: ' ' } }, { ...reason, more: 1 }]) {
        await expect(send(wrong)).rejects.toMatchObject({ code: 'ERR_SET_PAYLOAD' })
      }
      await expect(send(reason, opaque('alice'))).rejects.toMatchObject({ code: 'ERR_SET_SUBJECT' })
      await send(reason)
      await send(reason, complex({ user: issSub(issuer, 'alice'), device: opaque('d') }))
      expect(await setsOf(streamId)).toMatchObject([
        { sub_id: address, events: { [type.uri]: { ...payload, ...reason } } },
        { sub_id: { user: issSub(issuer, 'alice') } },
      ])
    },
  )

  it('refuses what the profile forbids although nobody listens', async () => {
    await startWith({}, options)
    await expect(transmitter.transmit(SessionRevoked, address, {})).rejects.toMatchObject({
      message: expect.stringContaining('"reason_admin"'),
    })
  })
})

describe('the options', () => {
  const wrong =
    (options: object): (() => unknown) =>
    () =>
      makeTransmitter(options)

  it('name what is no profile, and two of one name', async () => {
    await startWith({})
    expect(wrong({ profile: 'apple' })).toThrow('"profile" and "profiles" must be profiles')
    expect(wrong({ profiles: [{}] })).toThrow('"profile" and "profiles" must be profiles')
    const second = createProfile({ name: 'okta' })
    expect(wrong({ profiles: [second] })).toThrow('"profiles" must each have a name of their own')
  })
})
