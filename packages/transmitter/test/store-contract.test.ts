import { describe, it } from '@jest/globals'
import { hasNodeSqlite, type DriverName } from '@drawbridge/core/sqlite'
import { transmitterStoreContract } from '@drawbridge/testkit'
import { memoryStore, type TransmitterStore } from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { temporaryFile } from './support.ts'

const drivers: DriverName[] = ['libsql', ...(hasNodeSqlite() ? (['node:sqlite'] as const) : [])]

function contract(name: string, makeStore: () => Promise<TransmitterStore>): void {
  describe(`TransmitterStore: ${name}`, () => {
    const store = makeStore()
    for (const { name: promise, run } of transmitterStoreContract) {
      it(promise, async () => run(await store))
    }
    it('keeps all promises at the same time, in one store', async () => {
      await Promise.all(transmitterStoreContract.map(async ({ run }) => run(await store)))
    })
  })
}

contract('memory', async () => memoryStore())
for (const driver of drivers) {
  contract(driver, async () => sqliteStore(await temporaryFile(), { driver }))
}
