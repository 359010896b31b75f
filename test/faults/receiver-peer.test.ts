import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@drawbridge/core'
import { clientCredentials, createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  answerStatus,
  closeConnection,
  createTestTransmitter,
  garbage,
  page,
  type PushAnswer,
  type TestTransmitter,
} from '@drawbridge/testkit'

let idp: TestTransmitter
let app: Server
let receiver: Receiver

const listen = async (server: Server): Promise<number> => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}
const close = async (server: Server): Promise<void> => {
  server.closeAllConnections()
  await once(server.close(), 'close')
}

beforeEach(async () => {
  idp = await createTestTransmitter({ audience: 'app' })
  app = createServer((request, response) => toNode(receiver)(request, response))
})
afterEach(async () => {
  await receiver.stop()
  await idp.close()
  if (app.listening) await close(app)
})

const shared = () => ({
  issuer: idp.issuer,
  audience: 'app',
  authorize: staticToken('token'),
  allowInsecureHttp: true,
  random: () => 0,
})
const handledOnce = (jti: string): Promise<void> =>
  new Promise((resolve) => {
    receiver.events.on('set:handled', ({ event }) => {
      if (event.jti === jti) resolve()
    })
  })

const elsewhere: PushAnswer = (response) =>
  void response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ issuer: 'https://elsewhere.example' }))
const outages = [answerStatus(500), closeConnection, garbage, page, answerStatus(404)]

describe('the keys of a Transmitter cannot be had', () => {
  it('at start, by push: each SET is answered 503 until they can, and then taken', async () => {
    const url = `http://127.0.0.1:${await listen(app)}/signals`
    receiver = createReceiver({ ...shared(), push: { url } })
    idp.next('GET /jwks', ...outages)
    await receiver.start()
    const set = idp.sign({ claims: { jti: 'one' } })
    const answers: unknown[] = []
    while ((answers.at(-1) ?? 503) === 503) answers.push(await idp.send(set))
    expect(answers.at(-1)).toBe(202)
    expect(answers.length).toBeGreaterThanOrEqual(outages.length)
  })

  it.each([
    ['cannot be found', answerStatus(404)],
    ['is a page', page],
    ['is of another issuer', elsewhere],
  ])('because the metadata %s: the SET is not at fault, and is taken later', async (_, answer) => {
    const url = `http://127.0.0.1:${await listen(app)}/signals`
    receiver = createReceiver({ ...shared(), push: { url } })
    const back = idp.always('GET /.well-known/ssf-configuration', answer)
    const set = idp.sign()
    const post = async (): Promise<number> => {
      const headers = { 'content-type': 'application/secevent+jwt' }
      return (await fetch(url, { method: 'POST', body: set, headers })).status
    }
    expect(await post()).toBe(503)
    back()
    expect(await post()).toBe(202)
  })

  it('at start, by poll: nothing is acknowledged or refused, and nothing is lost', async () => {
    receiver = createReceiver(shared())
    const back = idp.always('GET /jwks', answerStatus(500))
    await receiver.start()
    const done = handledOnce('one')
    await idp.send({ claims: { jti: 'one' } })
    await new Promise((resolve) => receiver.events.once('set:unfinished', resolve))
    const polls = idp.requests.filter(({ line }) => line.startsWith('POST /poll'))
    expect(polls.some(({ body }) => 'ack' in body || 'setErrs' in body)).toBe(false)
    back()
    await done
    await receiver.verified()
  })

  it('later: known keys go on, a new one is answered 503 until it can be had', async () => {
    const url = `http://127.0.0.1:${await listen(app)}/signals`
    let aheadMs = 0
    const clock: Clock = { now: () => Date.now() + aheadMs, sleep: systemClock.sleep }
    receiver = createReceiver({ ...shared(), clock, push: { url } })
    await receiver.start()
    await receiver.verified()
    const back = idp.always('GET /jwks', closeConnection)
    expect(await idp.send()).toBe(202)
    const old = idp.sign()
    idp.rotateKeys()
    const set = idp.sign()
    expect([await idp.send(set), await idp.send(set)]).toEqual([503, 503])
    expect(await idp.send(old)).toBe(202)
    back()
    aheadMs = 1000
    expect(await idp.send(set)).toBe(202)
    // A key that is not among them is still what it was: not a key of the Transmitter.
    expect(await idp.send({ header: { kid: 'never seen' } })).toBe(400)
  })
})

describe('an authorization server that is slow', () => {
  let tokens: Server
  let waiting: ServerResponse[]
  let asked: Promise<unknown>
  let authorize: ReturnType<typeof clientCredentials>

  beforeEach(async () => {
    waiting = []
    tokens = createServer((_, response) => void waiting.push(response))
    asked = once(tokens, 'request')
    const tokenEndpoint = `http://127.0.0.1:${await listen(tokens)}/token`
    authorize = clientCredentials({ clientId: 'app', clientSecret: 'secret', tokenEndpoint })
  })
  afterEach(() => close(tokens))

  const give = (): void => {
    for (const response of waiting) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ access_token: 'token', token_type: 'Bearer', expires_in: 600 }))
    }
  }

  it('keeps start waiting, but no push; it is asked once, and then all goes on', async () => {
    const url = `http://127.0.0.1:${await listen(app)}/signals`
    receiver = createReceiver({ ...shared(), authorize, push: { url } })
    const handled: string[] = []
    receiver.handle(SessionRevoked, ({ jti }) => void handled.push(jti))
    const starting = receiver.start()
    await asked
    const pushed = await fetch(url, {
      method: 'POST',
      body: idp.sign({ claims: { jti: 'early' }, subject: opaque('someone') }),
      headers: { 'content-type': 'application/secevent+jwt' },
    })
    expect([pushed.status, handled]).toEqual([202, ['early']])
    give()
    await starting
    await receiver.verified()
    expect(waiting).toHaveLength(1)
  })

  it('keeps no stop waiting', async () => {
    receiver = createReceiver({ ...shared(), authorize })
    const starting = receiver.start().then(
      () => 'started',
      () => 'broken off',
    )
    await asked
    await receiver.stop()
    expect(await starting).toBe('broken off')
  })
})
