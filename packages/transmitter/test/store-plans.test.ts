import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openDatabase, type Database } from '@drawbridge/core/sqlite'
import { migrations } from '../src/store/sqlite-schema.ts'
import { statements, type Statements } from '../src/store/sqlite-statements.ts'

let database: Database
/** What SQLite is going to do for each statement. */
let plans: Record<string, string>

beforeAll(async () => {
  database = await openDatabase({ file: ':memory:', applicationId: 1, migrations })
  const texts = statements({
    ...database,
    prepare: (sql) => sql as unknown as ReturnType<Database['prepare']>,
  }) as unknown as Record<keyof Statements, string>
  plans = Object.fromEntries(Object.entries(texts).map(([name, sql]) => [name, planOf(sql)]))
})
afterAll(() => database.close())

function planOf(sql: string): string {
  const parameters = Array.from(sql.matchAll(/\?/g), () => 1)
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
  return (rows as { detail: string }[]).map(({ detail }) => detail).join('; ')
}

describe('the statements of the embedded store', () => {
  it('find a row by its jti, however many wait on its stream', () => {
    for (const name of ['dropRow', 'bury', 'keepDelivered']) {
      expect(plans[name]).toContain('outbox_by_jti (jti=?)')
    }
  })

  it('find subjects by key, however many streams there are', () => {
    expect(plans['findSubjects']).toMatch(/^SEARCH subjects USING PRIMARY KEY \(key=\?\)/)
  })

  it('read the rows of a stream in their order, without sorting', () => {
    expect(plans['readRows']).toBe(
      'SEARCH outbox USING INDEX outbox_by_stream (stream=? AND kind=? AND rowid>?)',
    )
  })

  it('walk no table, but for the subjects of a stream that is deleted', () => {
    const walks = Object.entries(plans).filter(([, plan]) => /SCAN (?!CONSTANT)/.test(plan))
    expect(walks.map(([name]) => name)).toEqual(['deleteSubjects'])
  })
})
