import { SessionRevoked } from '@drawbridge/schema/caep'
import { generateKeyPair } from 'jose'
import { signAndPush } from '../floors/push.mjs'
import { claims, payload, subject } from '../support/events.mjs'
import { inFlight, interleave, rate } from '../support/measure.mjs'
import { start } from '../support/processes.mjs'
import { startTransmitter } from '../support/transmitter.mjs'

const count = 3_000

/**
 * Pushes per second over some streams: signing, POST and the verdict, from events that are recorded
 * already.
 */
export async function pushes(alg, goal, { folder, streams = 1 }) {
  const sink = await start(new URL('../support/sink.mjs', import.meta.url))
  const origin = `http://127.0.0.1:${sink.ready}`
  const { privateKey: key } = await generateKeyPair(alg)
  const maxInFlight = streams === 1 ? 32 : 2
  const width = maxInFlight * streams
  const result = await interleave(
    5,
    () => pushOurs(alg, origin, { folder, streams, maxInFlight }),
    () => rate(count, () => signAndPush({ count, width, origin, key, alg, claimsOf: claims })),
  )
  await sink.stop()
  const name = `pushes, ${alg}, ${streams} stream${streams === 1 ? '' : 's'}, ${width} in flight`
  return [{ name, unit: '/s', ...result, goal }]
}

async function pushOurs(algorithm, origin, { folder, streams, maxInFlight }) {
  const server = await startTransmitter({ folder, algorithm, push: { maxInFlight } })
  const ids = []
  for (let index = 0; index < streams; index++) {
    const { stream_id } = await server.createStream(`${origin}/`)
    await setStatus(server, stream_id, 'paused')
    ids.push(stream_id)
  }
  await inFlight(count / streams, 256, (index) =>
    server.transmitter.transmit(SessionRevoked, subject(index), payload),
  )
  let left = count
  const done = new Promise((resolve) => {
    server.transmitter.events.on('set:delivered', () => --left === 0 && resolve())
  })
  const result = await rate(count, async () => {
    await Promise.all(ids.map((id) => setStatus(server, id, 'enabled')))
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
