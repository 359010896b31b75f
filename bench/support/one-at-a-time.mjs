// Posts SETs to a push endpoint from a process of its own, one at a time, and tells when each was sent.
import { Pool } from 'undici'
import { now } from './processes.mjs'

const headers = { 'content-type': 'application/secevent+jwt' }
let pool

process.on('message', async ({ url, token }) => {
  const { origin, pathname: path } = new URL(url)
  pool ??= new Pool(origin, { connections: 1 })
  const at = now()
  const answer = await pool.request({ method: 'POST', path, headers, body: token })
  await answer.body.dump()
  process.send({ at, status: answer.statusCode })
})
process.send('ready')
