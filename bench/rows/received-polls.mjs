import { once } from 'node:events'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { pollUntilEmpty } from '../floors/poll-loop.mjs'
import { claims } from '../support/events.mjs'
import { interleave, rate } from '../support/measure.mjs'
import { start } from '../support/processes.mjs'

const count = 4_000
const encoder = new TextEncoder()

/** SETs per second by the poll loop: verified, validated, de-duplicated, handled, acknowledged. */
export async function receivedPolls(alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg, use: 'sig' }
  const peer = await start(new URL('../support/poll-peer.mjs', import.meta.url))
  const issuer = peer.ready
  const url = `${issuer}/poll`
  const sign = async (index) => {
    const set = claims(index, issuer)
    const token = await new CompactSign(encoder.encode(JSON.stringify(set)))
      .setProtectedHeader({ alg, kid: 'k', typ: 'secevent+jwt' })
      .sign(privateKey)
    return [set.jti, token]
  }
  const measured = async (poll) => {
    const sets = await Promise.all(Array.from({ length: count }, (_, index) => sign(index)))
    const given = once(peer.child, 'message')
    peer.child.send({ jwk, sets })
    await given
    const acknowledged = once(peer.child, 'message')
    return await rate(count, () => poll(acknowledged))
  }
  const ours = () =>
    measured(async (acknowledged) => {
      const receiver = createReceiver({
        issuer,
        audience: 'app',
        authorize: staticToken('token'),
        managed: false,
        poll: { endpointUrl: url },
        allowInsecureHttp: true,
      })
      receiver.onSessionTermination(() => undefined)
      await receiver.start()
      await acknowledged
      await receiver.stop()
    })
  const floor = () =>
    measured(async (acknowledged) => {
      const handle = () => undefined
      await pollUntilEmpty({ url, key: publicKey, issuer, audience: 'app', handle })
      await acknowledged
    })
  const result = await interleave(5, ours, floor)
  await peer.stop()
  return [
    { name: `poll loop, ${alg}, handled and acknowledged`, unit: '/s', ...result, goal: '≥0.6' },
  ]
}
