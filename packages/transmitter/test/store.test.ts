import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { openDatabase } from '@drawbridge/core/sqlite'
import { sqliteStore } from '../src/store/sqlite.ts'
import { entry, streamRecord } from './store-records.ts'
import { call, createStream, issuer, makeTransmitter, pushTo, temporaryFile } from './support.ts'

describe('sqliteStore', () => {
  it('shares a commit between concurrent calls, of several issuers too', async () => {
    const file = await temporaryFile()
    const store = sqliteStore(file)
    const [one, other] = await Promise.all([
      store.open(issuer),
      store.open('https://other.example'),
    ])
    for (const each of [one, other]) await each.createStream(streamRecord('a'), false)
    const before = await walLength(file)
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => (n % 2 ? one : other).append([entry('a', `${n}`)])),
    )
    // Every commit writes the pages it touched to the log anew: 100 would be 400 and more.
    expect(((await walLength(file)) - before) / 4096).toBeLessThan(50)
    await Promise.all([one.close(), other.close()])
  })

  it('has the file open from the first issuer that opens it to the last that closes', async () => {
    const file = await temporaryFile()
    const store = sqliteStore(file)
    const one = await store.open(issuer)
    const other = await store.open('https://other.example')
    await one.close()
    await one.close()
    const elsewhere = { code: 'ERR_STORAGE_UNAVAILABLE' }
    await expect(sqliteStore(file).open(issuer)).rejects.toMatchObject(elsewhere)
    expect(await other.createStream(streamRecord('a'), false)).toBe(true)
    await other.close()
    const again = await sqliteStore(file).open('https://other.example')
    expect(await again.readStreams()).toEqual([streamRecord('a')])
    await again.close()
  })

  it('says in one sentence that the folder is not there', async () => {
    const file = join(dirname(await temporaryFile()), 'absent', 'signals.db')
    await expect(makeTransmitter({ store: sqliteStore(file) }).start()).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
      message: `"${file}" cannot be opened: its folder must exist and be writable`,
    })
  })

  it('says so when the folder is not writable', async () => {
    const folder = join(dirname(await temporaryFile()), 'locked')
    await mkdir(folder)
    await chmod(folder, 0o555)
    // Root writes everywhere; a file in the place of the folder stops root too.
    const isRoot = process.getuid?.() === 0
    if (isRoot) await writeFile(join(folder, 'file'), '')
    const file = join(folder, isRoot ? 'file/signals.db' : 'signals.db')
    await expect(sqliteStore(file).open(issuer)).rejects.toMatchObject({
      name: 'StorageError',
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
  })

  it('can be opened after what stood in the way is gone', async () => {
    const file = join(dirname(await temporaryFile()), 'later', 'signals.db')
    const transmitter = makeTransmitter({ store: sqliteStore(file) })
    await expect(transmitter.start()).rejects.toMatchObject({ code: 'ERR_STORAGE_UNAVAILABLE' })
    await mkdir(dirname(file))
    await transmitter.start()
    await transmitter.stop()
  })

  it('refuses a store from a newer version', async () => {
    const file = await temporaryFile()
    const store = sqliteStore(file)
    await (await store.open(issuer)).close()
    const database = await openDatabase({ file, applicationId: 0x44625478, migrations: [''] })
    database.exec('PRAGMA user_version = 99')
    await database.close()
    await expect(store.open(issuer)).rejects.toMatchObject({
      code: 'ERR_STORAGE_VERSION',
      message: expect.stringContaining('is of version 99'),
    })
  })

  it('refuses a database of something else, and a file that is none', async () => {
    const file = await temporaryFile()
    await (
      await openDatabase({ file, applicationId: 1, migrations: ['CREATE TABLE t (c)'] })
    ).close()
    await expect(sqliteStore(file).open(issuer)).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
    const text = await temporaryFile()
    await writeFile(text, 'this is not a database at all. '.repeat(100))
    await expect(sqliteStore(text).open(issuer)).rejects.toMatchObject({
      code: 'ERR_STORAGE_UNAVAILABLE',
    })
  })

  it('refuses another secret in one sentence, and leaves the store as it was', async () => {
    const file = await temporaryFile()
    const first = makeTransmitter({ store: sqliteStore(file) })
    await first.start()
    await first.stop()
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const other = makeTransmitter({ store: sqliteStore(file), secret: 'x'.repeat(32), algorithm })
      await expect(other.start()).rejects.toMatchObject({
        name: 'StorageError',
        code: 'ERR_STORAGE_SECRET',
        message: 'the store was made under another "secret": start with the one it was made under',
      })
    }
    await first.start()
    await first.stop()
  })

  it('holds neither private keys nor authorization headers in the clear', async () => {
    const file = await temporaryFile()
    const transmitter = makeTransmitter({ store: sqliteStore(file) })
    await transmitter.start()
    const header = 'Bearer very-secret-header'
    const id = await createStream(transmitter, pushTo('http://127.0.0.1:1/events', header))
    await transmitter.stop()
    const bytes = (await readFile(file)).toString('latin1')
    expect(bytes).not.toContain('very-secret-header')
    expect(bytes).toContain('"kty":"EC"')
    expect(bytes).not.toContain('"d":')
    await transmitter.start()
    const answer = await call(transmitter, `GET /streams?stream_id=${id}`)
    expect(await answer.json()).toMatchObject({ delivery: { authorization_header: header } })
    await transmitter.stop()
  })
})

const walLength = async (file: string): Promise<number> => (await readFile(`${file}-wal`)).length
