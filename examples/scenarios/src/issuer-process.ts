// An issuer: a Transmitter, and a token endpoint.
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import type { EventType, SubjectInput } from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { createTransmitter, permitAll, staticTokens } from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { scenarios } from './all.ts'
import { turnableClock } from './frame/clock.ts'
import { serve } from './frame/serve.ts'
import { createLogin } from './login.ts'

/** What the driver asks a Transmitter to say. */
export interface Said {
  readonly type: string
  readonly subject: SubjectInput
  readonly payload: object
}

const eventTypes: readonly EventType[] = [...caepEventTypes, ...riscEventTypes]
const clock = turnableClock()
const now = (): number => clock.now() / 1000

await serve(async (issuer, { scenario, folder, secret, signalsToken }) => {
  const transmitter = createTransmitter({
    issuer,
    secret,
    store: sqliteStore(path.join(folder, `${randomUUID()}.db`)),
    authenticate: staticTokens([{ token: signalsToken, id: 'api', audience: 'api' }]),
    permitEvent: permitAll, // there is one application, and it may know everything
    eventsSupported: eventTypes,
    algorithm: 'ES256',
    allowInsecureHttp: true, // all of this is on loopback
    clock,
  })
  const login = await createLogin({ issuer, now, accounts: {}, ...scenarios[scenario] })
  return {
    listener: (request, response) =>
      toNode(transmitter)(request, response, () => toNode(login)(request, response)),
    acts: {
      turn: (ms: number) => clock.turn(ms),
      transmit: async ({ type, subject, payload }: Said) => {
        const eventType = eventTypes.find(({ uri }) => uri === type)
        if (!eventType) throw new Error('this Transmitter has no such event type')
        const event = { event_timestamp: now(), ...payload }
        const { deliveries } = await transmitter.transmit(eventType, subject, event)
        return deliveries[0]?.jti
      },
    },
    start: () => transmitter.start(),
    stop: () => transmitter.stop(),
  }
})
