// Posts SETs to a push endpoint from a process of its own and reports the rate.
import { Pool } from 'undici'
import { inFlight, rate } from './measure.mjs'

process.on('message', async ({ url, tokens }) => {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections: 32 })
  let refused = 0
  const headers = { 'content-type': 'application/secevent+jwt' }
  const perSecond = await rate(tokens.length, () =>
    inFlight(tokens.length, 32, async (index) => {
      const answer = await pool.request({ method: 'POST', path, headers, body: tokens[index] })
      await answer.body.dump()
      if (answer.statusCode !== 202) refused++
    }),
  )
  await pool.close()
  process.send({ perSecond, refused })
})
process.send('ready')
