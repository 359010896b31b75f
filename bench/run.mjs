// `npm run bench`: each row is ours, the least code that does the same work (bench/floors), and the
// ratio, measured in turn in this run. `npm run bench -- guard` runs the rows whose name has "guard".
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { hasNodeSqlite } from '@drawbridge/core/sqlite'
import { feed } from './rows/feed.mjs'
import { guardChecks } from './rows/guard-checks.mjs'
import { latency } from './rows/latency.mjs'
import { ledgerMemory } from './rows/ledger-memory.mjs'
import { matching } from './rows/matching.mjs'
import { polls } from './rows/polls.mjs'
import { pushes } from './rows/pushes.mjs'
import { pushLatency } from './rows/push-latency.mjs'
import { receivedPolls } from './rows/received-polls.mjs'
import { schemaMatches, schemaValidations } from './rows/schema.mjs'
import { schemaStart } from './rows/schema-start.mjs'
import { tenant } from './rows/tenant.mjs'
import { transmits, transmitsToMany } from './rows/transmits.mjs'
import { verifications } from './rows/verifications.mjs'
import { waiters } from './rows/waiters.mjs'
import { printHead, printRow } from './support/table.mjs'

const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-bench-'))
const rows = {
  'latency RS256': () => latency('RS256', folder),
  'latency ES256': () => latency('ES256', folder),
  transmits: () => transmits(folder),
  'transmit to 1': () => transmitsToMany(1, folder),
  'transmit to 10': () => transmitsToMany(10, folder),
  'transmit to 100': () => transmitsToMany(100, folder),
  ...matchingRows(),
  'pushes RS256': () => pushes('RS256', '≥0.8', { folder }),
  'pushes ES256': () => pushes('ES256', '≥0.6', { folder }),
  'pushes 20 RS256': () => pushes('RS256', '≥0.8', { folder, streams: 20 }),
  'pushes 20 ES256': () => pushes('ES256', '≥0.6', { folder, streams: 20 }),
  'polls RS256': () => polls('RS256', '≥0.8', folder),
  'polls ES256': () => polls('ES256', '≥0.5', folder),
  waiters: () => waiters(),
  'verifications RS256': () => verifications('RS256'),
  'verifications ES256': () => verifications('ES256'),
  'received polls RS256': () => receivedPolls('RS256'),
  'received polls ES256': () => receivedPolls('ES256'),
  'push latency RS256': () => pushLatency('RS256'),
  'push latency ES256': () => pushLatency('ES256'),
  'schema validations': () => schemaValidations(),
  'schema matches': () => schemaMatches(),
  'schema start': () => schemaStart(),
  'guard 0': () => guardChecks(0),
  'guard 1000': () => guardChecks(1_000),
  'guard 1000000': () => guardChecks(1_000_000),
  'guard delegated 1000': () => guardChecks(1_000, { delegated: true }),
  'tenant memory 100000': () => tenant('memory', 100_000, folder),
  'tenant memory 1000000': () => tenant('memory', 1_000_000, folder),
  'tenant sqlite 100000': () => tenant('sqlite', 100_000, folder),
  feed: () => feed(folder),
  'ledger memory': () => ledgerMemory(),
}

/** Ten to a million subjects, in memory and with each driver of the embedded store. */
function matchingRows() {
  const drivers = ['memory', 'libsql', ...(hasNodeSqlite() ? ['node:sqlite'] : [])]
  const sizes = [100, 10_000, 1_000_000]
  const pairs = drivers.flatMap((driver) => sizes.map((size) => [driver, size]))
  return Object.fromEntries(
    pairs.map(([driver, size]) => [
      `matching ${driver} ${size}`,
      () => matching(driver, size, folder),
    ]),
  )
}

const wanted = process.argv[2] ?? ''
try {
  printHead()
  for (const [name, run] of Object.entries(rows)) {
    if (!name.includes(wanted)) continue
    for (const row of await run()) printRow(row)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
