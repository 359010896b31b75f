// Polls a stream from a process of its own until it has so many SETs, each poll acknowledging those
// of the one before.
import { Pool } from 'undici'
import { rate } from './measure.mjs'

process.on('message', async ({ url, count, maxEvents }) => {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections: 1 })
  const headers = { authorization: 'Bearer token', 'content-type': 'application/json' }
  const poll = async (body) => {
    const answer = await pool.request({ method: 'POST', path, headers, body: JSON.stringify(body) })
    if (answer.statusCode !== 200) throw new Error(await answer.body.text())
    return Object.keys((await answer.body.json()).sets)
  }
  const perSecond = await rate(count, async () => {
    let ack = []
    for (let received = 0; received < count; received += ack.length) {
      ack = await poll({ maxEvents, ack })
    }
    await poll({ maxEvents: 0, returnImmediately: true, ack })
  })
  await pool.close()
  process.send({ perSecond })
})
process.send('ready')
