import { once } from 'node:events'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { generateKeyPair } from 'jose'
import { sign } from '../floors/sign.mjs'
import { claims, payload, subject } from '../support/events.mjs'
import { inFlight, interleave, rate } from '../support/measure.mjs'
import { start } from '../support/processes.mjs'
import { startTransmitter } from '../support/transmitter.mjs'

const count = 5_000
const maxEvents = 100

/**
 * Polled SETs per second: one Receiver, one poll at a time, each acknowledging the one before, over
 * a socket, from events that are recorded already. The floor signs and does nothing else.
 */
export async function polls(alg, goal, folder) {
  const { privateKey: key } = await generateKeyPair(alg)
  const result = await interleave(
    5,
    () => pollOurs(alg, folder),
    () => rate(count, () => sign({ count, width: maxEvents, key, alg, claimsOf: claims })),
  )
  return [{ name: `polled SETs, ${alg}, maxEvents ${maxEvents}`, unit: '/s', ...result, goal }]
}

async function pollOurs(algorithm, folder) {
  const server = await startTransmitter({ folder, algorithm })
  const { delivery } = await server.createStream()
  await inFlight(count, 256, (index) =>
    server.transmitter.transmit(SessionRevoked, subject(index), payload),
  )
  const poller = await start(new URL('../support/poller.mjs', import.meta.url))
  poller.child.send({ url: delivery.endpoint_url, count, maxEvents })
  const [{ perSecond }] = await once(poller.child, 'message')
  await poller.stop()
  await server.stop()
  return perSecond
}
