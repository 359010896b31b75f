// A Transmitter in a process of its own. Told { transmit: <session id> } it transmits, and kills itself
// with SIGKILL in the very turn in which `transmit` resolved.
import { createServer } from 'node:http'
import { issSub, opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createTransmitter, permitAll, staticTokens } from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'

const [port, file] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const transmitter = createTransmitter({
  issuer,
  secret: 'a secret for a test, 32 characters or more',
  store: sqliteStore(file),
  authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'app' }]),
  permitEvent: permitAll,
  allowInsecureHttp: true,
  algorithm: 'ES256',
  push: { backoff: { firstMs: 20, longestMs: 100 } },
})
const server = createServer(toNode(transmitter))
await transmitter.start()
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve))

process.on('message', async ({ transmit, survive }) => {
  await transmitter.transmit(
    SessionRevoked,
    { user: issSub(issuer, 'alice'), session: opaque(transmit) },
    { reason_admin: { en: 'Account closed' } },
  )
  if (!survive) process.kill(process.pid, 'SIGKILL')
  process.send({ transmitted: transmit })
})
process.send('ready')
