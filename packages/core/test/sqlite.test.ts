import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  hasNodeSqlite,
  openDatabase,
  OpenDatabaseError,
  type Database,
  type DatabaseOptions,
  type DriverName,
} from '@drawbridge/core/sqlite'

const drivers: readonly DriverName[] = hasNodeSqlite() ? ['node:sqlite', 'libsql'] : ['libsql']

let folder: string
const open: Database[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drawbridge-'))
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((database) => database.close()))
  await rm(folder, { recursive: true, force: true })
})

const version1 = 'CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE) STRICT'
const version2 = 'ALTER TABLE item ADD COLUMN note TEXT'
const base: Omit<DatabaseOptions, 'file'> = { applicationId: 0x44_42_01, migrations: [version1] }

const failureOf = async (promise: Promise<unknown>): Promise<OpenDatabaseError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof OpenDatabaseError) return error
  throw new Error('no OpenDatabaseError was thrown', { cause: error })
}

describe.each(drivers)('openDatabase with %s', (driver) => {
  const start = async (options: Partial<DatabaseOptions> = {}): Promise<Database> => {
    const file = path.join(folder, 'test.db')
    const database = await openDatabase({ ...base, driver, file, ...options })
    open.push(database)
    return database
  }
  const names = (database: Database): unknown[] =>
    database
      .prepare('SELECT name FROM item ORDER BY id')
      .all()
      .map((row) => (row as { name: unknown }).name)

  it('makes the tables and keeps what was committed', async () => {
    const first = await start()
    const insert = first.prepare('INSERT INTO item (name) VALUES (?)')
    await first.commit(() => insert.run('one'))
    await first.close()
    await first.close()
    expect(names(await start())).toEqual(['one'])
  })

  it('has a write-ahead log, a full flush and foreign keys', async () => {
    const database = await start()
    const pragma = (name: string): unknown =>
      Object.values(database.prepare(`PRAGMA ${name}`).all()[0] as object)[0]
    expect(['journal_mode', 'synchronous', 'foreign_keys'].map(pragma)).toEqual(['wal', 2, 1])
  })

  it('upgrades an older file, and refuses one that a newer release wrote', async () => {
    const older = await start()
    await older.commit(() => older.prepare('INSERT INTO item (name) VALUES (?)').run('old'))
    await older.close()
    const newer = await start({ migrations: [version1, version2] })
    expect(newer.prepare('SELECT name, note FROM item').all()).toEqual([
      expect.objectContaining({ name: 'old', note: null }),
    ])
    await newer.close()
    const error = await failureOf(start())
    expect(error.failure).toBe('newer-version')
    expect(error.message).toMatch(/is of version 2, and this release reads up to 1/)
  })

  it('an upgrade that fails leaves the file as it was', async () => {
    await (await start()).close()
    await failureOf(start({ migrations: [version1, `${version2}; SELECT no_such_column`] }))
    const again = await start()
    expect(names(again)).toEqual([])
    expect(again.prepare('PRAGMA user_version').all()).toEqual([
      expect.objectContaining({ user_version: 1 }),
    ])
  })

  it('does not take another program’s database for ours', async () => {
    await (await start({ applicationId: 7 })).close()
    expect((await failureOf(start())).failure).toBe('not-ours')
    const file = path.join(folder, 'plain.db')
    const plain = await start({ file, applicationId: 0, migrations: [] })
    plain.exec('CREATE TABLE theirs (x)')
    await plain.close()
    const before = await readFile(file)
    expect((await failureOf(start({ file }))).failure).toBe('not-ours')
    expect((await readFile(file)).equals(before)).toBe(true)
  })

  it('gives the file up when it is closed, though statements are still held', async () => {
    const held: unknown[] = []
    for (let round = 0; round < 5; round++) {
      const database = await start()
      const statement = database.prepare('INSERT INTO item (name) VALUES (?)')
      const query = database.prepare('SELECT * FROM item')
      held.push(statement, query)
      await database.commit(() => statement.run(`n${round}`))
      expect(query.all()).toHaveLength(round + 1)
      await database.close()
    }
    expect(held).toHaveLength(10)
  })

  it('says in one sentence why a file cannot be opened', async () => {
    const file = path.join(folder, 'no', 'such', 'test.db')
    expect(await failureOf(start({ file }))).toMatchObject({
      failure: 'unavailable',
      message: `"${file}" cannot be opened: its folder must exist and be writable`,
    })
    const text = path.join(folder, 'text.db')
    await writeFile(text, 'not a database, but long enough to look at '.repeat(100))
    expect((await failureOf(start({ file: text }))).message).toContain('is not an SQLite database')
    expect(await readFile(text, 'utf8')).toMatch(/^not a database/)
    await mkdir(path.join(folder, 'folder.db'))
    expect((await failureOf(start({ file: path.join(folder, 'folder.db') }))).failure).toBe(
      'unavailable',
    )
  })

  // Root may write everywhere; then there is nothing to see.
  const itUnlessRoot = process.getuid?.() === 0 ? it.skip : it
  itUnlessRoot('says so where the folder cannot be written', async () => {
    const closed = path.join(folder, 'closed')
    await mkdir(closed)
    await chmod(closed, 0o500)
    const error = await failureOf(start({ file: path.join(closed, 'test.db') }))
    expect(error.failure).toBe('unavailable')
  })

  it('refuses a file that is open elsewhere, and lets it go at the end', async () => {
    const first = await start()
    expect((await failureOf(start())).message).toContain('another process has it open')
    await first.close()
    await start()
  })

  it('gives the result of the work, and keeps the order of those who wait', async () => {
    const database = await start()
    const insert = database.prepare('INSERT INTO item (name) VALUES (?)')
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        database.commit(() => {
          insert.run(`n${index}`)
          return index
        }),
      ),
    )
    expect(results).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(names(database)).toEqual(results.map((index) => `n${index}`))
  })

  it('shares one commit among all who wait', async () => {
    const database = await start()
    const transactions = new Set<unknown>()
    database.exec('CREATE TABLE counter (value INTEGER); INSERT INTO counter VALUES (0)')
    // Inside one transaction, a savepoint of the first is still there for the last.
    database.exec('CREATE TEMP TABLE inside (x)')
    await Promise.all(
      Array.from({ length: 20 }, () =>
        database.commit(() => {
          database.prepare('UPDATE counter SET value = value + 1').run()
          transactions.add(JSON.stringify(database.prepare('PRAGMA data_version').all()))
        }),
      ),
    )
    expect(transactions.size).toBe(1)
    let began = 0
    await Promise.all(
      Array.from({ length: 20 }, () =>
        database.commit(() => {
          // Only one of them finds that nothing was written in this transaction.
          const [row] = database.prepare('SELECT count(*) AS n FROM inside').all()
          if ((row as { n: number }).n === 0) began++
          database.prepare('INSERT INTO inside VALUES (1)').run()
        }),
      ),
    )
    expect(began).toBe(1)
  })

  it('undoes alone what throws; the others are on disk', async () => {
    const database = await start()
    const insert = database.prepare('INSERT INTO item (name) VALUES (?)')
    const settled = await Promise.allSettled([
      database.commit(() => insert.run('a')),
      database.commit(() => {
        insert.run('half')
        throw new Error('mine')
      }),
      database.commit(() => insert.run('a')),
      database.commit(() => insert.run('b')),
    ])
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    expect(settled[1]).toMatchObject({ reason: { message: 'mine' } })
    expect(names(database)).toEqual(['a', 'b'])
    await database.commit(() => insert.run('c'))
    await database.close()
    expect(names(await start())).toEqual(['a', 'b', 'c'])
  })

  it('takes work that is given from inside work', async () => {
    const database = await start()
    const insert = database.prepare('INSERT INTO item (name) VALUES (?)')
    const inner = await database.commit(() => {
      insert.run('outer')
      return [database.commit(() => insert.run('inner'))]
    })
    await Promise.all(inner)
    expect(names(database)).toEqual(['outer', 'inner'])
  })

  it('commits what waits when it is closed, and nothing after', async () => {
    const database = await start()
    const insert = database.prepare('INSERT INTO item (name) VALUES (?)')
    const waiting = database.commit(() => insert.run('last'))
    await database.close()
    await waiting
    expect(await failureOf(database.commit(() => insert.run('late')))).toMatchObject({
      failure: 'unavailable',
      message: 'the database is closed',
    })
    expect(names(await start())).toEqual(['last'])
  })

  it('keeps text as it is, whatever its characters', async () => {
    const database = await start()
    const texts = ['é', '🔒', "'; DROP TABLE item; --", '"', ' ', '\n', 'x'.repeat(100_000)]
    const insert = database.prepare('INSERT INTO item (name) VALUES (?)')
    await database.commit(() => texts.forEach((text) => insert.run(text)))
    expect(names(database)).toEqual(texts)
  })

  it('survives a kill right after a commit resolved', async () => {
    const file = path.join(folder, 'killed.db')
    const program = `
      import { openDatabase } from '@drawbridge/core/sqlite'
      const database = await openDatabase(${JSON.stringify({ ...base, driver, file })})
      const insert = database.prepare('INSERT INTO item (name) VALUES (?)')
      await Promise.all(['a', 'b', 'c'].map((name) => database.commit(() => insert.run(name))))
      process.kill(process.pid, 'SIGKILL')
    `
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    )
    expect({
      signal,
      stderr: stderr.replaceAll(/.*ExperimentalWarning.*|\(Use .*/g, '').trim(),
    }).toEqual({
      signal: 'SIGKILL',
      stderr: '',
    })
    expect(names(await start({ file }))).toEqual(['a', 'b', 'c'])
  })
})

describe('the driver', () => {
  it('is found without a name', async () => {
    const database = await openDatabase({ ...base, file: path.join(folder, 'any.db') })
    open.push(database)
    expect(database.prepare('SELECT 1 AS one').all()).toEqual([expect.objectContaining({ one: 1 })])
  })

  const itWithoutNodeSqlite = hasNodeSqlite() ? it.skip : it
  itWithoutNodeSqlite('named, but not there: says what to use', async () => {
    const opening = openDatabase({ ...base, file: 'x.db', driver: 'node:sqlite' })
    await expect(opening).rejects.toMatchObject({
      message: 'this Node has no node:sqlite: use 22.13 or later',
    })
  })
})
