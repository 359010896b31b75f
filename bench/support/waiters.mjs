// A Transmitter with one stream, in a process of its own: says what its polls that wait cost.
import { createServer } from 'node:http'
import { createTransmitter, memoryStore, permitAll, staticTokens } from '@drawbridge/transmitter'
import { toNode } from '@drawbridge/transmitter/node'

let transmitter
const server = createServer((request, response) => toNode(transmitter)(request, response))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
transmitter = createTransmitter({
  issuer,
  secret: 'a secret for a benchmark, 32 characters',
  store: memoryStore(),
  authenticate: staticTokens([{ token: 'token', id: 'app', audience: 'app' }]),
  permitEvent: permitAll,
  allowInsecureHttp: true,
  algorithm: 'ES256',
})
await transmitter.start()
const memory = () => {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
process.on('message', () => process.send(memory()))
process.send(issuer)
