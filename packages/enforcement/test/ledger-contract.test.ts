import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from '@jest/globals'
import { ledgerContract } from '../src/ledger/contract.ts'
import { memoryLedger } from '../src/ledger/memory.ts'
import { sqliteLedger } from '../src/ledger/sqlite.ts'

describe('the memory ledger', () => ledgerContract(it, memoryLedger))

describe('the sqlite ledger', () => {
  const folders: string[] = []
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true })
  })
  ledgerContract(it, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ledger-'))
    folders.push(folder)
    return sqliteLedger(join(folder, 'ledger.db'))
  })
})
