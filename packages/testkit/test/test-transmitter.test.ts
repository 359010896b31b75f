import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  createReceiver,
  staticToken,
  type Receiver,
  type ReceiverEvents,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { opaque } from '@drawbridge/schema'
import {
  answerStatus,
  closeConnection,
  createTestTransmitter,
  drip,
  garbage,
  hang,
  type TestTransmitter,
} from '../src/index.ts'

let transmitter: TestTransmitter
let receiver: Receiver
let server: Server
const handled: string[] = []

beforeEach(async () => {
  handled.length = 0
  transmitter = await createTestTransmitter({ audience: 'app' })
  server = createServer((request, response) => toNode(receiver)(request, response))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
  server.closeAllConnections()
  server.close()
})

const pushUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/signals`

function make(options: Partial<ReceiverOptions> = {}): Receiver {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    allowInsecureHttp: true,
    random: () => 0,
    ...options,
  })
  receiver.handle('*', ({ jti }) => void handled.push(jti))
  return receiver
}
const makePush = (options: Partial<ReceiverOptions> = {}): Receiver =>
  make({ push: { url: pushUrl(), authorizationHeader: 'Bearer agreed' }, ...options })

const started = async (made: Receiver): Promise<void> => {
  await made.start()
  await made.verified()
}
const next = <Name extends keyof ReceiverEvents>(name: Name): Promise<ReceiverEvents[Name]> =>
  new Promise((resolve) => receiver.events.once(name, resolve))

describe('a test Transmitter', () => {
  it('serves a Receiver by push: stream, verification, SETs', async () => {
    await started(makePush())
    expect(await transmitter.send({ claims: { jti: 'one' } })).toBe(202)
    expect(handled).toEqual(['one'])
    expect(transmitter.streams).toMatchObject([{ authorizationHeader: 'Bearer agreed' }])
  })

  it('serves a Receiver by poll, until it acknowledges', async () => {
    await started(make())
    expect(await transmitter.send({ claims: { jti: 'one' } })).toBe('offered')
    const acked = ({ body }: { body: Readonly<Record<string, unknown>> }): boolean =>
      JSON.stringify(body['ack'] ?? []).includes('one')
    await transmitter.requested(`POST /poll/${transmitter.streams[0]?.stream_id}`, acked)
    expect(handled).toEqual(['one'])
    expect(transmitter.streams[0]?.offered.size).toBe(0)
  })

  it('what can be done with the stream reaches it', async () => {
    await started(makePush())
    const own = receiver.ownStream
    await own?.addSubject(opaque('s'), { verified: false })
    await own?.removeSubject(opaque('s'))
    expect(await own?.updateStatus({ status: 'paused' })).toMatchObject({ status: 'paused' })
    expect(await own?.readStatus()).toMatchObject({ status: 'paused' })
    expect((await own?.read())?.stream_id).toBe(receiver.stream?.stream_id)
    expect(await own?.delete()).toBe(true)
    expect(await own?.delete()).toBe(false)
    expect(await own?.read()).toBeUndefined()
    const lines = transmitter.requests.map(({ line }) => line)
    expect(lines).toEqual(expect.arrayContaining(['POST /subjects:add', 'POST /subjects:remove']))
  })

  it('SSF-8.1.2.1-6: a stream that is found paused is asked to go on, once', async () => {
    await started(makePush())
    await receiver.ownStream?.updateStatus({ status: 'paused', reason: 'lunch' })
    await receiver.stop()
    makePush()
    const resumed = next('stream:resumed')
    await receiver.start()
    await resumed
    expect(transmitter.streams[0]?.status).toBe('enabled')
    const asked = transmitter.requests.filter(
      ({ line, body }) => line === 'POST /status' && body['status'] === 'enabled',
    )
    expect(asked).toHaveLength(1)
  })

  it('rotated keys: the next SET verifies, although its key was never seen', async () => {
    await started(makePush())
    transmitter.rotateKeys()
    // The keys were fetched a moment ago, and are fetched again once in 30 seconds at most.
    expect(await transmitter.send()).toBe(202)
  })

  it('duplicates are acknowledged and handled once; another order is kept by time', async () => {
    await started(makePush())
    const set = transmitter.sign({ claims: { jti: 'twice' } })
    expect([await transmitter.send(set), await transmitter.send(set)]).toEqual([202, 202])
    expect(handled).toEqual(['twice'])
  })

  it.each([
    ['a wrong audience', { claims: { aud: 'other' } }, 400],
    ['an unknown kid', { header: { kid: 'nobody' } }, 400],
    ['another issuer', { claims: { iss: 'https://other.example' } }, 400],
    ['a huge SET', { paddingBytes: 100_000 }, 413],
  ])('%s is refused', async (_name, changes, status) => {
    await started(makePush())
    expect(await transmitter.send(changes)).toBe(status)
    expect(handled).toEqual([])
  })

  it('a clock that is ahead or behind does not keep a SET away', async () => {
    await started(makePush())
    transmitter.skewClock(7200)
    expect(await transmitter.send()).toBe(202)
    transmitter.skewClock(-7200)
    expect(await transmitter.send()).toBe(202)
  })

  it('expired access tokens are renewed and the request repeated', async () => {
    const given: (string | undefined)[] = []
    transmitter.expireTokens()
    await started(
      make({
        authorize: ({ rejected }) => {
          given.push(rejected)
          return rejected === undefined ? 'old' : 'new'
        },
      }),
    )
    expect(given).toContain('old')
  })

  it.each([
    ['500', answerStatus(500)],
    ['a closed connection', closeConnection],
    ['garbage', garbage],
  ])('management that answers %s is tried again', async (_name, fault) => {
    transmitter.next('GET /.well-known/ssf-configuration', fault)
    transmitter.next('GET /streams', fault)
    transmitter.next('POST /verify', fault)
    await started(make())
    await transmitter.send({ claims: { jti: 'after all' } })
    await next('set:handled')
    expect(handled).toEqual(['after all'])
  })

  it('keys that cannot be had leave a SET unacknowledged, and it is handled when they are back', async () => {
    makePush()
    const end = transmitter.always('GET /jwks', answerStatus(503))
    await receiver.start()
    expect(await transmitter.send({ claims: { jti: 'late' } })).toBe(503)
    end()
    expect(await transmitter.send({ claims: { jti: 'late' } })).toBe(202)
    expect(handled).toEqual(['late'])
  })

  it('a poll that fails in the middle is tried again', async () => {
    make()
    await started(receiver)
    const line = `POST /poll/${transmitter.streams[0]?.stream_id}`
    transmitter.next(line, answerStatus(500), closeConnection, garbage)
    await transmitter.send({ claims: { jti: 'one' } })
    await transmitter.send({ claims: { jti: 'two' } })
    while (handled.length < 2) await next('set:handled')
    expect(handled.toSorted()).toEqual(['one', 'two'])
  })

  it('a hanging and a dripping answer can be ordered, and end when the Receiver stops', async () => {
    for (const fault of [hang, drip(5)]) {
      await started(make())
      const line = `POST /poll/${transmitter.streams.at(-1)?.stream_id}`
      const before = transmitter.requests.length
      transmitter.next(line, fault)
      // The poll that waits is answered, and the next one meets the fault.
      await transmitter.send()
      await transmitter.requested(line, (one) => transmitter.requests.indexOf(one) >= before)
      await receiver.stop()
    }
  })

  it('sends nothing where nobody has made a stream', async () => {
    make()
    await expect(transmitter.send()).rejects.toThrow('await its start() first')
  })
})
