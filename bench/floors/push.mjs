// Sign and POST, as many in flight as asked for: no queue, no store, no verdict.
import { CompactSign } from 'jose'
import { Pool } from 'undici'
import { inFlight } from '../support/measure.mjs'

const encoder = new TextEncoder()

export async function signAndPush({ count, width, origin, key, alg, claimsOf }) {
  const pool = new Pool(origin, { connections: width })
  await inFlight(count, width, async (index) => {
    const body = await new CompactSign(encoder.encode(JSON.stringify(claimsOf(index))))
      .setProtectedHeader({ alg, typ: 'secevent+jwt', kid: 'k' })
      .sign(key)
    const answer = await pool.request({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
      body,
    })
    await answer.body.dump()
    if (answer.statusCode !== 202) throw new Error(String(answer.statusCode))
  })
  await pool.close()
}
