import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { toNode } from '@drawbridge/core/node'
import {
  createReceiver,
  staticToken,
  type Receiver,
  type TransmitterSettings,
} from '../src/index.ts'
import { fakeTransmitter, type FakeTransmitter } from './support/fake-transmitter.ts'

let one: FakeTransmitter
let other: FakeTransmitter
let receiver: Receiver
let server: Server
let base: string

beforeEach(async () => {
  ;[one, other] = await Promise.all([fakeTransmitter(), fakeTransmitter()])
  receiver = createReceiver({ allowInsecureHttp: true })
  server = createServer(toNode(receiver))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await receiver.stop()
  server.closeAllConnections()
  server.close()
  await Promise.all([one.close(), other.close()])
})

const settings = (
  peer: FakeTransmitter,
  path: string,
  more: Partial<TransmitterSettings> = {},
): TransmitterSettings => ({
  issuer: peer.issuer,
  audience: 'app',
  authorize: staticToken('token'),
  push: { url: `${base}${path}` },
  ...more,
})

const push = async (path: string, set: string): Promise<Response> =>
  fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt' },
    body: set,
  })

describe('the Transmitters of a Receiver', () => {
  it('come at run time, each with its own push path and keys, and share the handlers', async () => {
    const heard: string[] = []
    receiver.handle('*', ({ iss }) => void heard.push(iss))
    await receiver.start()
    receiver.transmitters.add(settings(one, '/one'))
    receiver.transmitters.add(settings(other, '/other', { name: 'other' }))
    await Promise.all([
      receiver.transmitters.start(one.issuer),
      receiver.transmitters.start('other'),
    ])
    expect(receiver.transmitters.list()).toMatchObject([
      { name: one.issuer, state: 'running', stream: { iss: one.issuer } },
      { name: 'other', state: 'running', stream: { iss: other.issuer } },
    ])
    expect((await push('/one', await one.sign())).status).toBe(202)
    expect((await push('/other', await other.sign())).status).toBe(202)
    expect(heard).toEqual([one.issuer, other.issuer])
    // A SET of one at the path of the other is nobody's.
    const refused = await push('/other', await one.sign())
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ err: 'invalid_issuer' })
  })

  it('a suspended one is held with 503 and the others go on; then it goes on too', async () => {
    await receiver.start()
    receiver.transmitters.add(settings(one, '/one'))
    receiver.transmitters.add(settings(other, '/other'))
    await receiver.transmitters.suspend(one.issuer)
    const held = await push('/one', await one.sign())
    expect(held.status).toBe(503)
    expect(held.headers.get('retry-after')).toBe('1')
    expect((await push('/other', await other.sign())).status).toBe(202)
    expect(receiver.transmitters.list()[0]?.state).toBe('suspended')
    await receiver.transmitters.start(one.issuer)
    expect((await push('/one', await one.sign())).status).toBe(202)
  })

  it('a removed one is served no more, and can be added again', async () => {
    receiver.transmitters.add(settings(one, '/one'))
    await receiver.transmitters.remove(one.issuer)
    expect(receiver.serves('/one')).toBe(false)
    expect((await push('/one', await one.sign())).status).toBe(404)
    receiver.transmitters.add(settings(one, '/one'))
    expect((await push('/one', await one.sign())).status).toBe(202)
  })

  it('SSF-6.1.1-3: a name or a push path that is taken is refused, and so are mistakes in the settings', async () => {
    receiver.transmitters.add(settings(one, '/one'))
    expect(() => receiver.transmitters.add(settings(one, '/two'))).toThrow('"name"')
    expect(() => receiver.transmitters.add(settings(other, '/one'))).toThrow('"push.url"')
    const wrong = { ...settings(other, '/other'), audience: '', nonsense: 1 }
    expect(() => receiver.transmitters.add(wrong)).toThrow(/"nonsense".*"audience"/)
    await expect(receiver.transmitters.suspend('unknown')).rejects.toThrow('"name"')
  })

  it('events name the Transmitter they are about', async () => {
    const rejected = new Promise<string>((resolve) =>
      receiver.events.once('set:rejected', ({ transmitter }) => resolve(transmitter)),
    )
    receiver.transmitters.add(settings(one, '/one', { name: 'acme' }))
    await push('/one', 'garbage')
    expect(await rejected).toBe('acme')
  })

  it('starts again after it was stopped', async () => {
    receiver.transmitters.add(settings(one, '/one'))
    await receiver.start()
    await receiver.stop()
    expect((await push('/one', await one.sign())).status).toBe(503)
    await receiver.start()
    expect((await push('/one', await one.sign())).status).toBe(202)
  })
})
