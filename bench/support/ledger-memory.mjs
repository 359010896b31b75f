// Prints how many bytes of heap one entry costs the node that keeps it. The store behind holds none
// in memory, as SQLite and Redis do.
import { createEnforcement, recommendedPolicy } from '@drawbridge/enforcement'
import { readSet } from '@drawbridge/schema'
import { claims } from './events.mjs'

const entries = 100_000
const ledger = {
  open: async () => undefined,
  readAll: async () => [],
  write: async (entry) => ({ changed: true, entry }),
  purge: async () => undefined,
  close: async () => undefined,
}
const enforcement = createEnforcement({ ledger, policy: recommendedPolicy() })
await enforcement.start()
const apply = async (from, to) => {
  for (let index = from; index < to; index++) {
    // As from the wire: each with texts of its own.
    await enforcement.apply(readSet(JSON.parse(JSON.stringify(claims(index)))).events[0])
  }
}
const heap = () => {
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
await apply(0, 1000)
const before = heap()
await apply(1000, 1000 + entries)
console.log(Math.round((heap() - before) / entries))
await enforcement.stop()
