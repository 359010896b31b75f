// Posts SETs to a push endpoint from a process of its own and reports the rate.
import { Pool } from 'undici'
import { inFlight, rate } from './measure.mjs'

process.on('message', async ({ url, tokens }) => {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections: 32 })
  let refused = 0
  const headers = { 'content-type': 'application/secevent+jwt' }
  const post = async (token) => {
    const answer = await pool.request({ method: 'POST', path, headers, body: token })
    await answer.body.dump()
    if (answer.statusCode !== 202) refused++
  }
  // Once in a server's life: connections, and what ours asks the Transmitter for.
  const [warm, timed] = [tokens.slice(0, 100), tokens.slice(100)]
  await inFlight(warm.length, 32, (index) => post(warm[index]))
  const perSecond = await rate(timed.length, () =>
    inFlight(timed.length, 32, (index) => post(timed[index])),
  )
  await pool.close()
  process.send({ perSecond, refused })
})
process.send('ready')
