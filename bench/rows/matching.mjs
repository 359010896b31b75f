import { stat } from 'node:fs/promises'
import path from 'node:path'
import { SessionRevoked } from '@drawbridge/schema/caep'
import { memoryStore } from '@drawbridge/transmitter'
import { sqliteStore } from '@drawbridge/transmitter/sqlite'
import { payload, subject } from '../support/events.mjs'
import { inFlight, interleave, rate } from '../support/measure.mjs'
import { startTransmitter } from '../support/transmitter.mjs'

const count = 10_000
const callers = 64
const real = 10
const batch = 10_000
/** Below, the other tables would count. */
const enoughForDisk = 100_000
/** `["user"]`: what a simple subject is filed under. */
const shape = JSON.stringify(['user'])

/**
 * Time of a transmit, half of them wanted, where a stream has so many subjects: against one that
 * has ten. Where there is a file, also the bytes on disk for a subject.
 *
 * @param driver `memory`, or a driver of the embedded store
 */
export async function matching(driver, subjects, folder) {
  const few = await open(driver, real, folder)
  const many = await open(driver, subjects, folder)
  const { ours, floor } = await interleave(
    5,
    () => timeOf(many.server),
    () => timeOf(few.server),
  )
  await Promise.all([few, many].map(({ server }) => server.stop()))
  const disk = subjects >= enoughForDisk && many.file ? (await stat(many.file)).size / subjects : 0
  const name = `${driver}, ${subjects.toLocaleString('en')} subjects`
  return [
    { name: `transmit, ${name} (floor: 10)`, unit: 'µs', ours, floor, goal: '≤1.5' },
    ...(disk > 0
      ? [{ name: `a subject on disk, ${name}`, unit: 'B', ours: disk, floor: 200, goal: '≤1' }]
      : []),
  ]
}

/** Microseconds of a transmit about one of the ten, or about nobody whom the stream has. */
const timeOf = async ({ transmitter }) =>
  1_000_000 /
  (await rate(count, () =>
    inFlight(count, callers, (index) =>
      transmitter.transmit(SessionRevoked, subject(index % 2 ? index % real : index), payload),
    ),
  ))

async function open(driver, subjects, folder) {
  const file = driver === 'memory' ? undefined : path.join(folder, `${crypto.randomUUID()}.db`)
  const store = file ? sqliteStore(file, { driver }) : memoryStore()
  const server = await startTransmitter({
    folder,
    algorithm: 'ES256',
    store,
    subjects: { byDefault: 'NONE' },
  })
  const { stream_id } = await server.createStream()
  for (let index = 0; index < real; index++) await addSubject(server, stream_id, index)
  await fill(await store.open(server.issuer), stream_id, subjects - real)
  return { server, file }
}

async function addSubject({ issuer }, stream_id, index) {
  const response = await fetch(`${issuer}/ssf/subjects:add`, {
    method: 'POST',
    headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
    body: JSON.stringify({ stream_id, subject: subject(index).user }),
  })
  if (response.status !== 200) throw new Error(await response.text())
}

/** Files subjects under keys as random as a Transmitter's. */
async function fill(opened, stream_id, subjects) {
  for (let left = subjects; left > 0; left -= batch) {
    const keys = Array.from({ length: Math.min(left, batch) }, randomKey)
    const changes = keys.map((whole) => ({ entry: { shape, whole, parts: [] }, state: 'added' }))
    await opened.changeSubjects(stream_id, changes)
  }
  await opened.close()
}

const randomKey = () =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')
