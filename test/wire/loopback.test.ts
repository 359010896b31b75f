import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  createEnforcement,
  memoryLedger,
  recommendedPolicy,
  type Enforcement,
} from '@drawbridge/enforcement'
import { createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { toNode as receiverToNode } from '@drawbridge/receiver/node'
import { email, issSub, opaque } from '@drawbridge/schema'
import { CredentialChange, DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  createTransmitter,
  memoryStore,
  permitAll,
  staticTokens,
  type Transmitter,
} from '@drawbridge/transmitter'
import { toNode as transmitterToNode } from '@drawbridge/transmitter/node'

let idp: Server
let app: Server
let issuer: string
let transmitter: Transmitter
let receiver: Receiver
let enforcement: Enforcement

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

describe.each(['push', 'poll'] as const)('from transmit to the guard, by %s', (delivery) => {
  beforeEach(async () => {
    idp = createServer((request, response) => transmitterToNode(transmitter)(request, response))
    app = createServer((request, response) => receiverToNode(receiver)(request, response))
    issuer = `http://127.0.0.1:${await listen(idp)}`
    const url = `http://127.0.0.1:${await listen(app)}/signals`
    transmitter = createTransmitter({
      issuer,
      secret: 'a secret for a test, 32 characters or more',
      store: memoryStore(),
      authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'https://app.example' }]),
      permitEvent: permitAll,
      allowInsecureHttp: true,
      algorithm: delivery === 'push' ? 'ES256' : 'RS256',
    })
    receiver = createReceiver({
      issuer,
      audience: 'https://app.example',
      authorize: staticToken('token'),
      ...(delivery === 'push' ? { push: { url, authorizationHeader: 'Bearer push' } } : {}),
      allowInsecureHttp: true,
    })
    enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
    receiver.handle('*', enforcement.apply)
    await transmitter.start()
    await enforcement.start()
    await receiver.start()
  })
  afterEach(async () => {
    await receiver.stop()
    await enforcement.stop()
    await transmitter.stop()
    await Promise.all([close(idp), close(app)])
  })

  const handled = (): Promise<unknown> =>
    new Promise((resolve) => receiver.events.once('set:handled', resolve))
  const who = (
    sid: string,
    began = new Date(Date.now() - 60_000),
  ): Parameters<Enforcement['check']>[0] => ({
    subject: { user: issSub(issuer, 'alice'), session: opaque(sid), device: opaque('laptop') },
    began,
  })

  it('CIOP-3.1-1: a session-revoked ends that session and no other', async () => {
    await receiver.verified()
    const done = handled()
    await transmitter.transmit(
      SessionRevoked,
      { user: issSub(issuer, 'alice'), session: opaque('one') },
      { reason_admin: { en: 'Account closed' } },
    )
    await done
    expect(enforcement.check(who('one')).outcome).toBe('refuse')
    expect(enforcement.check(who('two')).outcome).toBe('allow')
  })

  it('SET-5.4-1: a login in flight is refused, a session that began after the revocation lives', async () => {
    const done = handled()
    const event_timestamp = Math.floor(Date.now() / 1000) - 10
    await transmitter.transmit(SessionRevoked, issSub(issuer, 'alice'), { event_timestamp })
    await done
    // The application makes its session only now; the login it rests on is older than T.
    const inFlight = who('late', new Date((event_timestamp - 1) * 1000))
    expect(enforcement.check(inFlight).outcome).toBe('refuse')
    const after = who('new', new Date((event_timestamp + 1) * 1000))
    expect(enforcement.check(after).outcome).toBe('allow')
  })

  it('CIOP26-3.3-1: a device that is not compliant is cut off whenever its session began, until it is compliant', async () => {
    const report = async (current_status: 'compliant' | 'not-compliant'): Promise<void> => {
      const done = handled()
      const previous_status = current_status === 'compliant' ? 'not-compliant' : 'compliant'
      const payload = { previous_status, current_status } as const
      await transmitter.transmit(DeviceComplianceChange, { device: opaque('laptop') }, payload)
      await done
    }
    await report('not-compliant')
    expect(enforcement.check(who('old')).outcome).toBe('refuse')
    expect(enforcement.check(who('fresh', new Date(Date.now() + 60_000))).outcome).toBe('refuse')
    await report('compliant') // in the same second: jti tells which came later
    expect(enforcement.check(who('old')).outcome).toBe('allow')
  })

  it('CIOP-3.2-1: a changed credential asks for a new login; an unknown subject harms nobody', async () => {
    const done = handled()
    const payload = { credential_type: 'password', change_type: 'update' } as const
    await transmitter.transmit(CredentialChange, issSub(issuer, 'alice'), payload)
    await done
    expect(enforcement.check(who('one')).outcome).toBe('challenge')
    const again = handled()
    await transmitter.transmit(SessionRevoked, email('bob@elsewhere.example'), {})
    await again
    expect(enforcement.check(who('two', new Date(Date.now() + 60_000))).outcome).toBe('allow')
  })

  it('events about one principal arrive in the order they were transmitted', async () => {
    const seen: number[] = []
    const all = new Promise<void>((resolve) => {
      receiver.events.on('set:handled', ({ event }) => {
        seen.push(Number(event.txn))
        if (seen.length === 50) resolve()
      })
    })
    for (let index = 0; index < 50; index++) {
      const txn = String(index)
      await transmitter.transmit(SessionRevoked, issSub(issuer, 'alice'), {}, { txn })
    }
    await all
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })
})
