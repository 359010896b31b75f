import { createServer } from 'node:http'
import path from 'node:path'
import { push } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createTransmitter, permitAll, staticTokens } from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'

/** Starts our Transmitter with its embedded store behind a real socket. */
export async function startTransmitter({ folder, algorithm, ...options }) {
  let transmitter
  const server = createServer((request, response) => toNode(transmitter)(request, response))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${server.address().port}`
  transmitter = createTransmitter({
    issuer,
    secret: 'a secret for a benchmark, 32 characters',
    store: sqliteStore(path.join(folder, `${crypto.randomUUID()}.db`)),
    authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'app' }]),
    permitEvent: permitAll,
    allowInsecureHttp: true,
    algorithm,
    ...options,
  })
  await transmitter.start()
  return {
    issuer,
    transmitter,
    /** Creates a stream: pushed to a URL, or polled. */
    async createStream(endpoint_url) {
      const response = await fetch(`${issuer}/ssf/streams`, {
        method: 'POST',
        headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
        body: JSON.stringify({
          events_requested: [SessionRevoked.uri],
          ...(endpoint_url ? { delivery: { method: push, endpoint_url } } : {}),
        }),
      })
      if (response.status !== 201) throw new Error(await response.text())
      return await response.json()
    },
    async stop() {
      await transmitter.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
