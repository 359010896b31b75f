// Ours: Receiver and enforcement in a process of their own. Reports when a session is refused.
import { createServer } from 'node:http'
import path from 'node:path'
import { createEnforcement, recommendedPolicy } from '@drawbridge/enforcement'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { now } from './processes.mjs'

const [issuer, folder] = process.argv.slice(2)
const enforcement = createEnforcement({
  ledger: sqliteLedger(path.join(folder, 'ledger.db')),
  policy: recommendedPolicy(),
})
await enforcement.start()
const server = createServer((request, response) => toNode(receiver)(request, response))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const receiver = createReceiver({
  issuer,
  audience: 'app',
  authorize: staticToken('token'),
  push: { url: `http://127.0.0.1:${server.address().port}/signals` },
  allowInsecureHttp: true,
})
receiver.handle('*', async (event) => {
  await enforcement.apply(event)
  const who = { subject: event.subject, began: new Date(0), issuer }
  const { outcome } = enforcement.check(who)
  process.send({ jti: event.jti, at: outcome === 'allow' ? NaN : now() })
})
await receiver.start()
await receiver.verified()
process.send('ready')
