import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  createReceiver,
  memoryInbox,
  staticToken,
  type Receiver,
  type ReceiverEvents,
  type ReceiverOptions,
} from '@drawbridge/receiver'
import { poll } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createTestTransmitter, type TestTransmitter } from '@drawbridge/testkit'
import { manualClock, type ManualClock } from '@drawbridge/testkit'

let transmitter: TestTransmitter
let receiver: Receiver
let clock: ManualClock

beforeEach(async () => {
  transmitter = await createTestTransmitter({ audience: 'app' })
  clock = manualClock(Date.now())
})
afterEach(async () => {
  await receiver.stop()
  await transmitter.close()
})

async function started(options: Partial<ReceiverOptions> = {}): Promise<void> {
  receiver = createReceiver({
    issuer: transmitter.issuer,
    audience: 'app',
    authorize: staticToken('token'),
    allowInsecureHttp: true,
    clock,
    verifyEverySeconds: 600,
    silentAfterSeconds: 1800,
    ...options,
  })
  await receiver.start()
  await receiver.verified()
}
const next = <Name extends keyof ReceiverEvents>(name: Name): Promise<ReceiverEvents[Name]> =>
  new Promise((resolve) => receiver.events.once(name, resolve))
const verifications = (): number =>
  transmitter.requests.filter(({ line }) => line === 'POST /verify').length

describe('a stream on which nothing happens', () => {
  it('SSF-8.1.4.2-1 SSF-8.1.4.2-4: is asked for a sign of life, and not sooner', async () => {
    await started()
    await clock.advance(599_000)
    expect(verifications()).toBe(1)
    const verified = next('stream:verified')
    await clock.advance(1_000)
    await verified
    expect(verifications()).toBe(2)
  })

  it('SSF-8.1.1-16: is asked no more often than the Transmitter wants', async () => {
    transmitter.next('GET /streams', (response) => {
      const stream = {
        stream_id: 's',
        iss: transmitter.issuer,
        aud: 'app',
        events_requested: [SessionRevoked.uri],
        events_delivered: [],
        delivery: { method: poll, endpoint_url: `${transmitter.issuer}/poll/s` },
        min_verification_interval: 3600,
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify([stream]))
    })
    transmitter.always('POST /verify', (response) => void response.writeHead(204).end())
    transmitter.always('PATCH /streams', (response) => void response.writeHead(500).end())
    receiver = createReceiver({
      issuer: transmitter.issuer,
      audience: 'app',
      authorize: staticToken('token'),
      allowInsecureHttp: true,
      clock,
      events: [SessionRevoked],
      verifyEverySeconds: 600,
      silentAfterSeconds: 100_000,
    })
    await receiver.start()
    const before = verifications()
    for (let minute = 0; minute < 59; minute++) await clock.advance(60_000)
    expect(verifications()).toBe(before)
    const asked = transmitter.requested('POST /verify', () => verifications() > before)
    await clock.advance(60_000)
    await asked
  })

  it('a SET is a sign of life: nothing is asked while they come', async () => {
    await started()
    for (let round = 0; round < 3; round++) {
      await clock.advance(500_000)
      const handled = next('set:handled')
      await transmitter.send()
      await handled
    }
    expect(verifications()).toBe(1)
  })

  it('counts as silent after a while, once, is asked to go on where it is paused, and its return is told', async () => {
    await started()
    await receiver.ownStream?.updateStatus({ status: 'paused' })
    const end = transmitter.always('POST /verify', (response) => void response.writeHead(204).end())
    const silences: number[] = []
    receiver.events.on('stream:silent', ({ heardAt }) => void silences.push(heardAt))
    const [silent, resumed] = [next('stream:silent'), next('stream:resumed')]
    for (let minute = 0; minute < 31; minute++) await clock.advance(60_000)
    await Promise.all([silent, resumed])
    for (let minute = 0; minute < 60; minute++) await clock.advance(60_000)
    expect(silences).toHaveLength(1)
    expect(transmitter.streams[0]?.status).toBe('enabled')
    expect(receiver.transmitters.list()[0]?.isSilent).toBe(true)
    end()
    const returned = next('stream:returned')
    await transmitter.send()
    expect((await returned).silentForMs).toBeGreaterThanOrEqual(1_800_000)
    expect(receiver.transmitters.list()[0]?.isSilent).toBe(false)
  })

  it('is never asked where 0 is written', async () => {
    await started({ verifyEverySeconds: 0, silentAfterSeconds: 100_000 })
    for (let hour = 0; hour < 24; hour++) await clock.advance(3_600_000)
    expect(verifications()).toBe(1)
  })
})

describe('health', () => {
  it('tells whether it is ready, and what troubles it', async () => {
    await started()
    expect(await receiver.health()).toMatchObject({
      status: 'ok',
      isReady: true,
      transmitters: [{ name: transmitter.issuer, state: 'running', isSilent: false }],
    })
    transmitter.always('POST /verify', (response) => void response.writeHead(204).end())
    const silent = next('stream:silent')
    for (let minute = 0; minute < 31; minute++) await clock.advance(60_000)
    await silent
    expect(await receiver.health()).toMatchObject({ status: 'degraded', isReady: true })
    await receiver.stop()
    expect(await receiver.health()).toMatchObject({ status: 'down', isReady: false })
  })

  it('an inbox that does not answer is down', async () => {
    let isBroken = false
    const inbox = memoryInbox()
    await started({
      inbox: {
        ...inbox,
        read: (name) => (isBroken ? Promise.reject(new Error('gone')) : inbox.read(name)),
      },
    })
    isBroken = true
    expect(await receiver.health()).toMatchObject({ status: 'down', isInboxReachable: false })
  })
})
