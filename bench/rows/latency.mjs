import path from 'node:path'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { Pool } from 'undici'
import { groupCommit } from '../floors/group-commit.mjs'
import { claims, issuer, payload, subject } from '../support/events.mjs'
import { quantile } from '../support/measure.mjs'
import { now, start } from '../support/processes.mjs'
import { sqliteClass } from '../support/sqlite-class.mjs'
import { startTransmitter } from '../support/transmitter.mjs'

const count = 300
const encoder = new TextEncoder()

/**
 * From the call of `transmit` to the refusal in another process, durable at both ends, one at a
 * time.
 */
export async function latency(alg, folder) {
  const [ours, floor] = [await startOurs(alg, folder), await startFloor(alg, folder)]
  const times = { ours: [], floor: [] }
  for (let index = 0; index < count; index++) {
    times.ours.push(await ours.once(index))
    times.floor.push(await floor.once(index))
  }
  await Promise.all([ours.stop(), floor.stop()])
  const [a, b] = [times.ours.slice(50), times.floor.slice(50)]
  return [
    {
      name: `transmit → refused, push, ${alg}, durable, p50`,
      unit: 'ms',
      ours: quantile(a, 0.5),
      floor: quantile(b, 0.5),
      goal: '≤1.5',
    },
    {
      name: `transmit → refused, push, ${alg}, durable, p99`,
      unit: 'ms',
      ours: quantile(a, 0.99),
      floor: quantile(b, 0.99),
      goal: '≤2',
    },
  ]
}

const refusal = (child) => new Promise((resolve) => child.once('message', ({ at }) => resolve(at)))

async function startOurs(algorithm, folder) {
  const server = await startTransmitter({ folder, algorithm })
  const refuser = await start(
    new URL('../support/refuser.mjs', import.meta.url),
    server.issuer,
    folder,
  )
  return {
    async once(index) {
      const refused = refusal(refuser.child)
      const begin = now()
      await server.transmitter.transmit(SessionRevoked, subject(index), payload)
      return (await refused) - begin
    },
    async stop() {
      await refuser.stop()
      await server.stop()
    },
  }
}

async function startFloor(alg, folder) {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk = JSON.stringify({ ...(await exportJWK(publicKey)), alg })
  const refuser = await start(
    new URL('../floors/refuser.mjs', import.meta.url),
    jwk,
    issuer,
    folder,
  )
  const pool = new Pool(`http://127.0.0.1:${refuser.ready}`)
  const outbox = groupCommit(sqliteClass, path.join(folder, `floor-${alg}.db`))
  return {
    async once(index) {
      const refused = refusal(refuser.child)
      const begin = now()
      const set = claims(index)
      await outbox.append(set)
      const body = await new CompactSign(encoder.encode(JSON.stringify(set)))
        .setProtectedHeader({ alg, typ: 'secevent+jwt' })
        .sign(privateKey)
      const answer = await pool.request({ method: 'POST', path: '/', body })
      await answer.body.dump()
      return (await refused) - begin
    },
    async stop() {
      await pool.close()
      await refuser.stop()
      outbox.close()
    },
  }
}
