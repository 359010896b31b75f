// `npm run bench`: each row is ours, the least code that does the same work (bench/floors), and the
// ratio, measured in turn in this run. `npm run bench -- guard` runs the rows whose name has "guard".
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { feed } from './rows/feed.mjs'
import { guardChecks } from './rows/guard-checks.mjs'
import { latency } from './rows/latency.mjs'
import { ledgerMemory } from './rows/ledger-memory.mjs'
import { pushes } from './rows/pushes.mjs'
import { schemaMatches, schemaValidations } from './rows/schema.mjs'
import { schemaStart } from './rows/schema-start.mjs'
import { tenant } from './rows/tenant.mjs'
import { transmits } from './rows/transmits.mjs'
import { verifications } from './rows/verifications.mjs'
import { printHead, printRow } from './support/table.mjs'

const folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-bench-'))
const rows = {
  'latency RS256': () => latency('RS256', folder),
  'latency ES256': () => latency('ES256', folder),
  transmits: () => transmits(folder),
  'pushes RS256': () => pushes('RS256', '≥0.8', folder),
  'pushes ES256': () => pushes('ES256', '≥0.6', folder),
  'verifications RS256': () => verifications('RS256'),
  'verifications ES256': () => verifications('ES256'),
  'schema validations': () => schemaValidations(),
  'schema matches': () => schemaMatches(),
  'schema start': () => schemaStart(),
  'guard 0': () => guardChecks(0),
  'guard 1000': () => guardChecks(1_000),
  'guard 1000000': () => guardChecks(1_000_000),
  'tenant memory 100000': () => tenant('memory', 100_000, folder),
  'tenant memory 1000000': () => tenant('memory', 1_000_000, folder),
  'tenant sqlite 100000': () => tenant('sqlite', 100_000, folder),
  feed: () => feed(folder),
  'ledger memory': () => ledgerMemory(),
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
