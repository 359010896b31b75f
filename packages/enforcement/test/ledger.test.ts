import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { hasNodeSqlite, openDatabase, type DriverName } from '@drawbridge/core/sqlite'
import { memoryLedger } from '@drawbridge/enforcement'
import { sqliteLedger } from '@drawbridge/enforcement/sqlite'
import { describeLedger } from './ledger-contract.ts'
import { entryWith } from './signals.ts'

describeLedger('memoryLedger', async () => {
  const ledger = memoryLedger()
  return { ledger: () => ledger, remove: async () => undefined }
})

const drivers: readonly DriverName[] = hasNodeSqlite() ? ['libsql', 'node:sqlite'] : ['libsql']

for (const driver of drivers) {
  describeLedger(`sqliteLedger on ${driver}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drawbridge-'))
    return {
      ledger: () => sqliteLedger(join(folder, 'ledger.db'), { driver }),
      remove: () => rm(folder, { recursive: true }),
    }
  })
}

/** The header of a ledger's file, as it is today. */
const applicationId = 0x44424c47

const inFolder = async (test: (file: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-'))
  try {
    await test(join(folder, 'ledger.db'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Writes an entry as another release would. */
const plant = async (file: string, entry: string): Promise<void> => {
  const ledger = sqliteLedger(file)
  await ledger.open()
  await ledger.close()
  const database = await openDatabase({ file, applicationId, migrations: [''] })
  await database.commit(() =>
    database.prepare('INSERT INTO entries (key, entry) VALUES (?, ?)').run('key', entry),
  )
  await database.close()
}

describe('sqliteLedger with a file that it cannot use', () => {
  it('says that the folder is not there', () =>
    inFolder(async (file) => {
      await expect(sqliteLedger(join(file, 'no', 'where.db')).open()).rejects.toMatchObject({
        code: 'ERR_STORAGE_UNAVAILABLE',
        message: expect.stringContaining('its folder must exist'),
      })
    }))
  it('says that the file is no database', () =>
    inFolder(async (file) => {
      await writeFile(file, 'These are the minutes of the last meeting. '.repeat(100))
      await expect(sqliteLedger(file).open()).rejects.toMatchObject({
        code: 'ERR_STORAGE_UNAVAILABLE',
      })
    }))
  it('says that a newer release made it', () =>
    inFolder(async (file) => {
      const migrations = ['CREATE TABLE a (b)', 'CREATE TABLE c (d)']
      await (await openDatabase({ file, applicationId, migrations })).close()
      await expect(sqliteLedger(file).open()).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION' })
    }))
  it('can be opened once what was wrong is put right', () =>
    inFolder(async (file) => {
      await writeFile(file, 'no database at all, this one. '.repeat(100))
      const ledger = sqliteLedger(file)
      await expect(ledger.open()).rejects.toThrow()
      await rm(file)
      await ledger.open()
      await ledger.close()
    }))
  it('refuses an entry whose effect is of a newer release', () =>
    inFolder(async (file) => {
      await plant(file, JSON.stringify({ ...entryWith(), effect: 'quarantine' }))
      const ledger = sqliteLedger(file)
      await ledger.open()
      await expect(ledger.readAll()).rejects.toMatchObject({
        name: 'StorageError',
        code: 'ERR_STORAGE_VERSION',
      })
      await ledger.close()
    }))
  it.each(['', 'null', '{}', '{"on":', '[1]'])('refuses %j as an entry', (text) =>
    inFolder(async (file) => {
      await plant(file, text)
      const ledger = sqliteLedger(file)
      await ledger.open()
      await expect(ledger.readAll()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
      await ledger.close()
    }),
  )
})
