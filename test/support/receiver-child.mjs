// A Receiver in a process of its own, to be killed. The effect of an event is a file with the name of its
// idempotency key, which can be made once only; every call of the handler is a line of a journal. Told
// { die: { at, after } } it kills itself with SIGKILL when it comes to that point for the n-th time:
// `begun` before the effect, `done` after it, `acknowledged` when the Transmitter was told.
import { createHash } from 'node:crypto'
import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { createReceiver, staticToken } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { sqliteInbox } from '@drawbridge/receiver/sqlite'

const [port, issuer, folder, delivery, acknowledge] = process.argv.slice(2)
const effects = path.join(folder, 'effects')
mkdirSync(effects, { recursive: true })

let death = { at: '', after: 0 }
process.on('message', ({ die }) => {
  death = die
})
function reach(point) {
  if (point === death.at && --death.after <= 0) process.kill(process.pid, 'SIGKILL')
}

const receiver = createReceiver({
  issuer,
  audience: 'app',
  authorize: staticToken('token'),
  ...(delivery === 'push' ? { push: { url: `http://127.0.0.1:${port}/signals` } } : {}),
  inbox: sqliteInbox(path.join(folder, 'inbox.db')),
  acknowledge,
  handlerTimeoutMs: 100,
  allowInsecureHttp: true,
  fetch: async (input, init) => {
    const response = await fetch(input, init)
    if (init?.body?.includes('"ack"')) reach('acknowledged')
    return response
  },
})
let isReady = false
receiver.handle('*', async (_, { key, signal }) => {
  reach('begun')
  appendFileSync(path.join(folder, 'calls'), `${key}\n`)
  const chance = Math.random()
  if (chance < 0.03) throw new Error('not now')
  if (chance < 0.05) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  if (signal.aborted) return
  take(createHash('sha256').update(key).digest('hex'))
  reach('done')
  if (isReady) process.send('effect')
})

/** Has the effect, unless it was had before. */
function take(name) {
  try {
    closeSync(openSync(path.join(effects, name), 'wx'))
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
}

const signals = toNode(receiver)
const server = createServer((request, response) => {
  response.once('finish', () => {
    if (response.statusCode === 202) reach('acknowledged')
  })
  signals(request, response)
})
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve))
await receiver.start()
process.send('ready')
isReady = true
process.send('effect')
