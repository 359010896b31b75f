// The least poll loop that is right: jose, the checks written out, a Set for repetitions, each poll
// acknowledging the one before.
import { compactVerify } from 'jose'
import { Pool } from 'undici'

const decoder = new TextDecoder()
const headers = { authorization: 'Bearer token', 'content-type': 'application/json' }

export async function pollUntilEmpty({ url, key, issuer, audience, handle }) {
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, { connections: 1 })
  const seen = new Set()
  const take = async ([jti, token]) => {
    const { payload, protectedHeader } = await compactVerify(token, key)
    const set = JSON.parse(decoder.decode(payload))
    if (protectedHeader.typ !== 'secevent+jwt' || set.iss !== issuer || set.aud !== audience)
      throw new Error('refused')
    if (set.sub !== undefined || set.exp !== undefined || set.jti !== jti)
      throw new Error('refused')
    const [[type, event]] = Object.entries(set.events)
    if (event.reason_admin && typeof event.reason_admin.en !== 'string') throw new Error('refused')
    if (!seen.has(jti)) {
      await handle(type, set)
      seen.add(jti)
    }
    return jti
  }
  for (let ack = []; ;) {
    const body = JSON.stringify({ maxEvents: 100, ack })
    const answer = await pool.request({ method: 'POST', path, headers, body })
    const entries = Object.entries((await answer.body.json()).sets)
    if (entries.length === 0) break
    ack = await Promise.all(entries.map(take))
  }
  await pool.close()
}
