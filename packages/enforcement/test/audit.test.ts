import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { auditFiles, type AuditFiles, type AuditFilesOptions } from '@drawbridge/enforcement/audit'
import { opaque } from '@drawbridge/schema'
import {
  alice,
  laptop,
  noon,
  notCompliant,
  revoked,
  startedNode,
  type TestNode,
} from './signals.ts'

let folder: string
let running: AuditFiles | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'))
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  await rm(folder, { recursive: true })
})

const audited = async (options: Partial<AuditFilesOptions> = {}): Promise<TestNode> => {
  const node = await startedNode({
    hooks: {
      terminate: () => undefined,
      suspend: () => {
        throw Object.assign(new Error('the token of alice is abc'), { code: 'ERR_SOMETHING' })
      },
    },
  })
  running = auditFiles(node.enforcement.events, { folder, ...options })
  return node
}

const day = new Date(noon * 1000).toISOString().slice(0, 10)

const lines = async (): Promise<readonly Record<string, unknown>[]> => {
  await running?.flush()
  const text = await readFile(join(folder, `audit-${day}.jsonl`), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('auditFiles', () => {
  it('writes what was decided, by whom, and what hooks did', async () => {
    const { enforcement } = await audited()
    await enforcement.apply(revoked({ user: alice }, { jti: 'the-jti' }))
    await enforcement.take({ on: alice, cause: 'incident', by: 'olga', effect: 'suspend' })
    await enforcement.giveBack({ on: alice, cause: 'incident', by: 'otto' })
    await enforcement.apply(revoked({ tenant: opaque('t-1') }))
    await enforcement.stop()
    const record = await lines()
    const of = (kind: string) => record.filter(({ event }) => String(event).startsWith(kind))
    expect(of('signal')).toMatchObject([
      { event: 'signal:applied', cause: { jti: 'the-jti' }, subject: { user: alice } },
      { event: 'signal:applied', cause: { by: 'olga' }, lifted: false },
      { event: 'signal:applied', cause: { by: 'otto' }, lifted: true },
      { event: 'signal:outside-mandate', reason: 'tenant-wide' },
    ])
    expect(of('hook:succeeded')).toMatchObject([{ name: 'terminate' }])
    expect(of('hook:failed')).toHaveLength(5)
    expect(of('hook:failed')[0]).toMatchObject({ name: 'suspend', error: 'ERR_SOMETHING' })
    expect(record[0]?.['at']).toMatch(/^\d{4}-.*Z$/)
    // Not "abc" alone, which an identifier can hold by chance.
    expect(JSON.stringify(record)).not.toContain('token of alice')
  })
  it('writes subjects as pseudonyms, the same for the same subject and key', async () => {
    const { enforcement } = await audited({ pseudonymKey: 'a secret of the application' })
    await enforcement.apply(notCompliant(laptop))
    await enforcement.apply(notCompliant(laptop, { at: noon + 1 }))
    await enforcement.apply(notCompliant(opaque('tablet')))
    const record = await lines()
    const names = record.flatMap(({ subject }) => subject ?? [])
    expect(names).toHaveLength(3)
    expect(names[0]).toMatch(/^[\w-]{43}$/)
    expect([names[1] === names[0], names[2] === names[0]]).toEqual([true, false])
    expect(JSON.stringify(record)).not.toContain('laptop-7')
  })
  it('keeps files as long as it should, and touches no others', async () => {
    const old = new Date((noon - 11 * 86_400) * 1000).toISOString().slice(0, 10)
    const young = new Date((noon - 9 * 86_400) * 1000).toISOString().slice(0, 10)
    for (const name of [`audit-${old}.jsonl`, `audit-${young}.jsonl`, 'audit-2001.txt']) {
      await writeFile(join(folder, name), 'x')
    }
    const { enforcement } = await audited({ keepDays: 10 })
    await enforcement.apply(revoked(alice))
    await lines()
    expect((await readdir(folder)).toSorted()).toEqual(
      ['audit-2001.txt', `audit-${young}.jsonl`, `audit-${day}.jsonl`].toSorted(),
    )
  })
  it('tells of what could not be written, and goes on', async () => {
    const errors: unknown[] = []
    const path = join(folder, 'file')
    await writeFile(path, '')
    const node = await audited({ folder: path, failed: (error) => errors.push(error) })
    await node.enforcement.apply(revoked(alice))
    await running?.flush()
    expect(errors[0]).toMatchObject({ code: 'EEXIST' })
  })
  it('names every mistake in its options', async () => {
    const wrong = { folder: '', keepDays: 0.5, pseudonymKey: 'short', failed: 1, days: 1 } as never
    await expect(audited(wrong)).rejects.toMatchObject({
      mistakes: [
        '"days" is not an option',
        '"folder" must be the path of a folder',
        '"keepDays" must be a whole number, 1 or more',
        '"pseudonymKey" must be a secret of 16 characters or more',
        '"failed" must be a function',
      ],
    })
  })
})
