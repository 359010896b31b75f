import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  createEnforcement,
  logoutEvent,
  memoryLedger,
  recommendedPolicy,
  scimEvent,
  tokenRevocationEvent,
  type Who,
} from '@drawbridge/enforcement'
import { accessMeaning, issSub, opaque, type SecurityEvent } from '@drawbridge/schema'
import * as caep from '@drawbridge/schema/caep'
import * as oauth from '@drawbridge/schema/oauth'
import * as scim from '@drawbridge/schema/scim'
import { manualClock } from '@drawbridge/testkit'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

const page = 'docs/guides/inputs.md'
const pageText = await readFile(path.join(root, page), 'utf8')

/** The rows of a table, cell by cell. */
function rowsAfter(heading: string): string[][] {
  const table = pageText.split(heading)[1]?.trimStart().split('\n\n', 1)[0] ?? ''
  const rows = table.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('| -'))
  return rows.map((row) => {
    const cells = row.split('|').slice(1, -1)
    return cells.map((cell) => cell.trim())
  })
}

const [issuer, audience] = ['https://idp.example', 'app']
const alice = issSub(issuer, 'alice')
const clock = manualClock()
const options = { issuer, subject: alice, clock }

const logout = (more: object): SecurityEvent => {
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const claims = { iss: issuer, aud: audience, iat: clock.now() / 1000, jti: 'j', ...more, events }
  return logoutEvent(claims, { issuer, audience })
}
const put = (body: object): SecurityEvent | undefined =>
  scimEvent({ method: 'PUT', resourceType: 'User', body: { schemas: [], ...body } }, options)

/** What each row of the table is about. */
const inputs: Readonly<Record<string, () => SecurityEvent | undefined>> = {
  'Logout token with `sid`': () => logout({ sid: 's1' }),
  'Logout token without `sid`': () => logout({ sub: 'alice' }),
  'Global Token Revocation': () => tokenRevocationEvent({ sub_id: alice }, { issuer, clock }),
  'SCIM `active: false`': () => put({ active: false }),
  'SCIM `active: true`': () => put({ active: true }),
  'SCIM `DELETE`': () => scimEvent({ method: 'DELETE', resourceType: 'User' }, options),
  'SCIM without a value of `active`': () => put({ active: null }),
}

const names = new Map(
  Object.entries({ ...caep, ...oauth, ...scim } as Record<string, { readonly uri?: string }>).map(
    ([name, { uri }]) => [uri, name],
  ),
)

/** What an event does to a session, to another one of the same user, and to a consented task. */
async function effectsOf(event: SecurityEvent | undefined): Promise<string[]> {
  const policy = recommendedPolicy()
  const enforcement = createEnforcement({ ledger: memoryLedger(), policy, clock })
  await enforcement.start()
  if (event) await enforcement.apply(event)
  const began = new Date(clock.now() - 60_000)
  const of = (session: string): Who => ({
    subject: { user: alice, session: opaque(session) },
    began,
  })
  const robot = issSub(issuer, 'robot')
  const task: Who = { subject: robot, began, delegator: of('s1'), endsWith: 'grant' }
  const effects = [of('s1'), of('s2'), task].map((who) => {
    const { effect } = enforcement.explain(who)
    return effect ? `\`${effect}\`` : 'goes on'
  })
  await enforcement.stop()
  const [session = '', other = '', ofTask = ''] = effects
  return [session === other ? session : `${session}, that one`, ofTask]
}

describe('docs/guides/inputs.md', () => {
  it('has what each input becomes, and what it does', async () => {
    const [, ...rows] = rowsAfter('<!-- table: inputs -->')
    expect(rows.map(([request]) => request)).toEqual(Object.keys(inputs))
    for (const [request = '', ...cells] of rows) {
      const event = inputs[request]?.()
      const is = event ? accessMeaning(event).decision : ''
      const name = event ? `\`${names.get(event.type)}\`` : 'none'
      expect([request, ...cells.slice(0, 4)]).toEqual([
        request,
        name,
        is,
        ...(await effectsOf(event)),
      ])
    }
  })

  it('has every answer of the endpoint', async () => {
    const source = await readFile(
      path.join(root, 'packages/enforcement/src/inputs/token-revocation-endpoint.ts'),
      'utf8',
    )
    const codes = [...source.matchAll(/(?:problem|emptyResponse)\((\d{3})/g)].map(
      ([, code]) => code,
    )
    const table = pageText.split('| Answer')[1]?.split('\n\n', 1)[0] ?? ''
    const told = [...table.matchAll(/^\| (\d{3})(?:, (\d{3}))?/gm)].flatMap(([, one, other]) =>
      other ? [one, other] : [one],
    )
    expect(told).toEqual([...new Set(codes)].toSorted())
  })

  it('has programs that compile, and one that prints what the page says', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const [programs, printed] = await Promise.all([blocksOf(page), blocksOf(page, 'output')])
      expect([...programs.keys()]).toEqual(['inputs.ts', 'logout.ts', 'scim.ts', 'revocation.ts'])
      for (const [name, code] of programs) await writeFile(path.join(folder, name), code)
      await compile(folder)
      expect(await output(folder, 'inputs.js')).toBe(printed.get('inputs.ts')?.trim())
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
