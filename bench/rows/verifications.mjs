import { createServer } from 'node:http'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { pushEndpoint } from '../floors/push-endpoint.mjs'
import { claims } from '../support/events.mjs'
import { interleave } from '../support/measure.mjs'
import { start } from '../support/processes.mjs'

const count = 4_000
const encoder = new TextEncoder()

/** SETs per second at the push endpoint: verified, validated, de-duplicated, handled. */
export async function verifications(alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg, use: 'sig' }
  let issuer = ''
  const metadata = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const keys = request.url === '/jwks'
    response.end(
      JSON.stringify(
        keys
          ? { keys: [jwk] }
          : { issuer, jwks_uri: `${issuer}/jwks`, configuration_endpoint: `${issuer}/streams` },
      ),
    )
  })
  issuer = `http://127.0.0.1:${await listen(metadata)}`
  const client = await start(new URL('../support/client.mjs', import.meta.url))

  const send = async (server) => {
    const port = await listen(server)
    const tokens = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        new CompactSign(encoder.encode(JSON.stringify(claims(index, issuer))))
          .setProtectedHeader({ alg, kid: 'k', typ: 'secevent+jwt' })
          .sign(privateKey),
      ),
    )
    const answer = new Promise((resolve) => client.child.once('message', resolve))
    client.child.send({ url: `http://127.0.0.1:${port}/signals`, tokens })
    const { perSecond, refused } = await answer
    if (refused > 0) throw new Error(`${refused} SETs were refused`)
    server.closeAllConnections()
    server.close()
    return perSecond
  }
  const ours = () => {
    const receiver = createReceiver({
      issuer,
      audience: 'app',
      authorize: staticToken('token'),
      push: { url: 'http://127.0.0.1/signals' },
      allowInsecureHttp: true,
    })
    receiver.onSessionTermination(() => undefined)
    return send(createServer(toNode(receiver)))
  }
  const floor = () =>
    send(pushEndpoint({ key: publicKey, issuer, audience: 'app', handle: () => undefined }))
  const result = await interleave(5, ours, floor)
  await client.stop()
  metadata.close()
  metadata.closeAllConnections()
  return [
    { name: `push endpoint, ${alg}, verified and handled`, unit: '/s', ...result, goal: '≥0.6' },
  ]
}

function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port))
  })
}
