// A Transmitter in a process of its own, to be killed or starved. It makes one stream for each Receiver
// that has none: pushed where an endpoint is given, else polled. An event about `user-<u>` with the
// number n goes to the Receivers that `wants` names.
import { issSub, opaque, push } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { createTransmitter, staticTokens } from '@drawbridge/transmitter'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { usersOf, wants } from './signals.mjs'

const issuer = 'https://idp.example'
const [file, endpoints] = [process.argv[2], JSON.parse(process.argv[3])]
const receivers = endpoints.map((endpoint, index) => ({ endpoint, id: String(index) }))

const transmitter = createTransmitter({
  issuer,
  secret: 'a secret for a test, 32 characters or more',
  store: sqliteStore(file),
  authenticate: staticTokens(
    receivers.map(({ id }) => ({ token: `token-${id}`, id, audience: id })),
  ),
  permitEvent: ({ subject }, { id }) => wants(Number(id), subject.user.sub, receivers.length),
  allowInsecureHttp: true,
  multipleStreams: false,
  algorithm: 'ES256',
  push: { backoff: { firstMs: 5, longestMs: 50 } },
})
await transmitter.start()

async function call(id, method, path, body) {
  const headers = { authorization: `Bearer token-${id}`, 'content-type': 'application/json' }
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }
  return (await transmitter.fetch(new Request(`${issuer}/ssf${path}`, init))).json()
}

for (const { id, endpoint } of receivers) {
  if ((await call(id, 'GET', '/streams')).length > 0) continue
  await call(id, 'POST', '/streams', {
    events_requested: [SessionRevoked.uri],
    ...(endpoint ? { delivery: { method: push, endpoint_url: endpoint } } : {}),
  })
}

/** Transmits one event and tells how it ended. */
async function transmit(n) {
  const subject = { user: issSub(issuer, usersOf(n)), session: opaque(String(n)) }
  try {
    await transmitter.transmit(SessionRevoked, subject, { reason_admin: { en: 'x'.repeat(200) } })
    process.send({ transmitted: n })
  } catch (error) {
    process.send({ failed: n, code: error.code })
  }
}

/** Transmits from a number to another, some at a time, in order. */
async function run({ from, to, width }) {
  let next = from
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < to) await transmit(next++)
    }),
  )
  process.send({ ran: to })
}

/** The numbers that wait for a polled Receiver. */
async function waiting(id) {
  const [{ delivery }] = await call(id, 'GET', '/streams')
  const path = delivery.endpoint_url.slice(`${issuer}/ssf`.length)
  const numbers = []
  for (let ack = []; ;) {
    const { sets } = await call(id, 'POST', path, { ack, returnImmediately: true, maxEvents: 100 })
    ack = Object.keys(sets)
    if (ack.length === 0) return numbers
    for (const set of Object.values(sets)) {
      const { sub_id } = JSON.parse(Buffer.from(set.split('.')[1], 'base64url'))
      numbers.push(Number(sub_id.session.id))
    }
  }
}

process.on('message', async (message) => {
  if (message.run) await run(message.run)
  if (message.waiting) process.send({ waiting: await waiting(message.waiting) })
})
process.send('ready')
