// An application in a process of its own: Receiver, embedded ledger, guard, and a cookie that holds the
// login itself, so that nothing but the ledger can refuse it. Told { arm: true } it kills itself with
// SIGKILL as soon as its next 202 to a push is written.
import { createServer } from 'node:http'
import { createEnforcement, recommendedPolicy } from '@drawbridge/enforcement'
import { guardFetch } from '@drawbridge/enforcement'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { issSub, opaque } from '@drawbridge/schema'

const [port, issuer, file, delivery] = process.argv.slice(2)
const enforcement = createEnforcement({ ledger: sqliteLedger(file), policy: recommendedPolicy() })
const receiver = createReceiver({
  issuer,
  audience: 'app',
  authorize: staticToken('token'),
  ...(delivery === 'push' ? { push: { url: `http://127.0.0.1:${port}/signals` } } : {}),
  allowInsecureHttp: true,
})
receiver.handle('*', enforcement.apply)
receiver.events.on('set:handled', ({ event }) => {
  process.send({ handled: event.subject.session?.id })
})
const page = guardFetch(
  enforcement,
  (request) => {
    const { sub, sid, at } = JSON.parse(request.headers.get('x-login') ?? '{}')
    const subject = { user: issSub(issuer, sub), session: opaque(sid) }
    return { subject, began: new Date(at) }
  },
  () => Promise.resolve(new Response('welcome')),
)

let armed = false
process.on('message', ({ arm }) => {
  armed = arm
})
const signals = toNode(receiver)
const pages = toNode({ fetch: page, serves: () => true })
const server = createServer((request, response) => {
  if (request.url !== '/signals') return pages(request, response)
  response.once('finish', () => {
    if (armed && response.statusCode === 202) process.kill(process.pid, 'SIGKILL')
  })
  signals(request, response)
})
await enforcement.start()
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve))
await receiver.start()
// Its own 202 must not be the one that is waited for.
await receiver.verified()
process.send('ready')
