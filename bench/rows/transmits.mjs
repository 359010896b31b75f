import path from 'node:path'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { groupCommit } from '../floors/group-commit.mjs'
import { claims, payload, subject } from '../support/events.mjs'
import { inFlight, interleave, rate } from '../support/measure.mjs'
import { sqliteClass } from '../support/sqlite-class.mjs'
import { startTransmitter } from '../support/transmitter.mjs'

const count = 20_000
const callers = 64

/** Durable transmits per second: 64 callers, embedded store, one stream that nobody polls. */
export async function transmits(folder) {
  const server = await startTransmitter({ folder, algorithm: 'ES256' })
  await server.createStream()
  const floor = groupCommit(sqliteClass, path.join(folder, 'floor-transmits.db'))
  const result = await interleave(
    5,
    () =>
      rate(count, () =>
        inFlight(count, callers, (index) =>
          server.transmitter.transmit(SessionRevoked, subject(index), payload),
        ),
      ),
    () => rate(count, () => inFlight(count, callers, (index) => floor.append(claims(index)))),
  )
  floor.close()
  await server.stop()
  return [{ name: 'transmits, durable, 64 callers, 1 stream', unit: '/s', ...result, goal: '≥0.6' }]
}

const rounds = 200

/**
 * Time of one transmit that several streams want, one after the other: against the same rows in one
 * commit.
 */
export async function transmitsToMany(streams, folder) {
  const server = await startTransmitter({ folder, algorithm: 'ES256' })
  for (let index = 0; index < streams; index++) await server.createStream()
  const floor = groupCommit(sqliteClass, path.join(folder, `floor-transmits-${streams}.db`))
  const rows = Array.from({ length: streams })
  const millisecondsOf = async (work) =>
    1000 / (await rate(rounds, () => inFlight(rounds, 1, work)))
  const result = await interleave(
    5,
    () =>
      millisecondsOf((index) =>
        server.transmitter.transmit(SessionRevoked, subject(index), payload),
      ),
    () => millisecondsOf((index) => Promise.all(rows.map(() => floor.append(claims(index))))),
  )
  floor.close()
  await server.stop()
  const name = `transmit to ${streams} stream${streams === 1 ? '' : 's'}, durable, 1 caller`
  return [{ name, unit: 'ms', ...result, goal: '≤2' }]
}
