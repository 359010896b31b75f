import { once } from 'node:events'
import { createServer } from 'node:http'
import { createReceiver } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { pushEndpoint } from '../floors/push-endpoint.mjs'
import { claims } from '../support/events.mjs'
import { quantile } from '../support/measure.mjs'
import { now, start } from '../support/processes.mjs'

const count = 1_000
const encoder = new TextEncoder()

/** From the POST in another process to the call of the handler, one at a time. */
export async function pushLatency(alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg, use: 'sig' }
  const peer = await start(new URL('../support/poll-peer.mjs', import.meta.url))
  const issuer = peer.ready
  const given = once(peer.child, 'message')
  peer.child.send({ jwk, sets: [] })
  await given
  const sign = (index) =>
    new CompactSign(encoder.encode(JSON.stringify(claims(index, issuer))))
      .setProtectedHeader({ alg, kid: 'k', typ: 'secevent+jwt' })
      .sign(privateKey)
  let handledAt = 0
  const handle = () => {
    handledAt = now()
  }
  const receiver = createReceiver({
    issuer,
    audience: 'app',
    managed: false,
    push: { url: 'http://127.0.0.1/signals' },
    allowInsecureHttp: true,
  })
  receiver.onSessionTermination(handle)
  const sides = {
    ours: await side(createServer(toNode(receiver))),
    floor: await side(pushEndpoint({ key: publicKey, issuer, audience: 'app', handle })),
  }
  const times = { ours: [], floor: [] }
  for (let index = 0; index < count; index++) {
    for (const [name, { post }] of Object.entries(sides)) {
      times[name].push(-(await post(await sign(index))) + handledAt)
    }
  }
  await Promise.all([...Object.values(sides).map(({ stop }) => stop()), peer.stop()])
  const [ours, floor] = [times.ours.slice(100), times.floor.slice(100)]
  return [
    ['p50', 0.5, '≤1.5'],
    ['p99', 0.99, '≤2'],
  ].map(([name, part, goal]) => ({
    name: `POST → handler, ${alg}, ${name}`,
    unit: 'ms',
    ours: quantile(ours, part),
    floor: quantile(floor, part),
    goal,
  }))
}

/** A server, and a process that posts to it; `post` tells when the SET was sent. */
async function side(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = await start(new URL('../support/one-at-a-time.mjs', import.meta.url))
  return {
    async post(token) {
      const answer = once(client.child, 'message')
      client.child.send({ url: `http://127.0.0.1:${server.address().port}/signals`, token })
      const [{ at, status }] = await answer
      if (status !== 202) throw new Error(`a SET was answered ${status}`)
      return at
    },
    async stop() {
      await client.stop()
      server.closeAllConnections()
      server.close()
    },
  }
}
