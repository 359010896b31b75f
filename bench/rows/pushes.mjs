import { SessionRevoked } from '@drawbridge/schema/caep'
import { generateKeyPair } from 'jose'
import { signAndPush } from '../floors/push.mjs'
import { claims, payload, subject } from '../support/events.mjs'
import { inFlight, interleave, rate } from '../support/measure.mjs'
import { start } from '../support/processes.mjs'
import { startTransmitter } from '../support/transmitter.mjs'

const count = 3_000
const width = 32

/**
 * Pushes per second over one stream: signing, POST and the verdict, from events that are recorded
 * already.
 */
export async function pushes(alg, goal, folder) {
  const sink = await start(new URL('../support/sink.mjs', import.meta.url))
  const origin = `http://127.0.0.1:${sink.ready}`
  const { privateKey: key } = await generateKeyPair(alg)
  const result = await interleave(
    5,
    () => pushOurs(alg, origin, folder),
    () => rate(count, () => signAndPush({ count, width, origin, key, alg, claimsOf: claims })),
  )
  await sink.stop()
  return [{ name: `pushes, ${alg}, 1 stream, ${width} in flight`, unit: '/s', ...result, goal }]
}

async function pushOurs(algorithm, origin, folder) {
  const server = await startTransmitter({ folder, algorithm, push: { maxInFlight: width } })
  const { stream_id } = await server.createStream(`${origin}/`)
  await setStatus(server, stream_id, 'paused')
  await inFlight(count, 256, (index) =>
    server.transmitter.transmit(SessionRevoked, subject(index), payload),
  )
  let left = count
  const done = new Promise((resolve) => {
    server.transmitter.events.on('set:delivered', () => --left === 0 && resolve())
  })
  const result = await rate(count, async () => {
    await setStatus(server, stream_id, 'enabled')
    await done
  })
  await server.stop()
  return result
}

async function setStatus({ issuer }, stream_id, status) {
  const response = await fetch(`${issuer}/ssf/status`, {
    method: 'POST',
    headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
    body: JSON.stringify({ stream_id, status }),
  })
  if (response.status !== 200) throw new Error(await response.text())
}
