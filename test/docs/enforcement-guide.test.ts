import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  createEnforcement,
  effects,
  fromClaims,
  memoryLedger,
  recommendedPolicy,
  type Effect,
} from '@drawbridge/enforcement'
import { issSub, jwtId, opaque } from '@drawbridge/schema'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

const page = 'docs/guides/enforcement.md'
const text = await readFile(path.join(root, page), 'utf8')

/** The rows of the table that has this heading, cell by cell. */
function tableOf(heading: string): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} `))
  const end = lines.indexOf('', start)
  return lines
    .slice(start + 2, end)
    .map((row) => row.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
}

describe('docs/guides/enforcement.md', () => {
  it('has programs that compile, and one that prints what the page says', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const [programs, printed] = await Promise.all([blocksOf(page), blocksOf(page, 'output')])
      expect([...programs.keys()]).toEqual([
        'enforcement.ts',
        'cookies.ts',
        'tokens.ts',
        'processes.ts',
        'sockets.ts',
        'operator.ts',
        'mandates.ts',
        'blast-radius.ts',
      ])
      for (const [name, code] of programs) await writeFile(path.join(folder, name), code)
      await compile(folder)
      expect(await output(folder, 'enforcement.js')).toBe(printed.get('enforcement.ts')?.trim())
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('has every effect, from mild to hard, with the answer that a client gets', async () => {
    const rows = tableOf('Effect')
    expect(rows.map(([name]) => name)).toEqual(effects.map((name) => `\`${name}\``))
    for (const [place, effect] of effects.entries()) {
      const response = await denialBy(effect)
      const { error } = (await response.json()) as { error: string }
      expect(rows[place]?.[2]).toContain(`${response.status} \`${error}\``)
    }
  })

  it('names events and options that there are', async () => {
    const sources = [
      'enforcement/src/enforcement-events.ts',
      'enforcement/src/options.ts',
      'receiver/src/receiver-events.ts',
    ].map((file) => readFile(path.join(root, 'packages', file), 'utf8'))
    const [events = '', options = '', heard = ''] = await Promise.all(sources)
    const named = [...text.matchAll(/`((?:signal|request|ledger|hook|transmitter):\w[\w-]*)`/g)]
    expect(named.length).toBeGreaterThan(8)
    for (const [, event] of named) expect(events).toContain(`'${event}':`)
    expect(text).toContain("receiver.events.on('stream:verified'")
    expect(heard).toContain("'stream:verified':")
    const optionNames = [
      'maxStalenessMs',
      'onStale',
      'resolve',
      'requestRules',
      'clearCookie',
      'silence',
    ]
    for (const option of optionNames) {
      expect(text).toMatch(new RegExp(`\`${option}[\`:]`))
      expect(options).toMatch(new RegExp(`readonly ${option}\\?:`))
    }
  })

  it('names the record, which can be had as it says', async () => {
    const [, call, entry] =
      /`(\w+)\(enforcement\.events, \{ folder: 'audit' \}\)` of `([^`]+)`/.exec(text) ?? []
    expect(entry).toBe('@drawbridge/enforcement/audit')
    const record = (await import('@drawbridge/enforcement/audit')) as Record<string, unknown>
    expect(record[call ?? '']).toEqual(expect.any(Function))
  })

  it('has every claim of a token, and what it gives', () => {
    const claims = {
      iss: 'https://idp.example',
      sub: 'alice',
      sid: 's1',
      jti: 't1',
      client_id: 'app',
      act: { sub: 'robot' },
      auth_time: 1750000000,
      acr: 'mfa',
      scope: 'files:read',
    }
    const who = fromClaims(claims)
    const rests = { issuer: claims.iss, began: new Date(1750000000_000) }
    expect(who).toEqual({
      ...rests,
      subject: {
        user: issSub(claims.iss, 'robot'),
        token: jwtId(claims.iss, 't1'),
        application: opaque('app'),
      },
      kind: 'agent',
      grants: ['files:read'],
      delegator: {
        ...rests,
        subject: { user: issSub(claims.iss, 'alice'), session: opaque('s1') },
        acr: 'mfa',
      },
    })
    const rows = tableOf('Claim')
    const named = (column: number) => rows.map((cells) => cells[column]).join(' ')
    for (const claim of Object.keys(claims)) expect(named(0)).toContain(`\`${claim}\``)
    const { issuer: _, subject, kind, ...others } = who
    const { issuer: __, subject: person, ...ofPerson } = who.delegator ?? who
    for (const given of [...[subject, others, person, ofPerson].flatMap(Object.keys), kind]) {
      expect(named(1)).toContain(`\`${given}\``)
    }
  })
})

/** What a session gets from which an effect took something. */
async function denialBy(effect: Effect): Promise<Response> {
  const enforcement = createEnforcement({ ledger: memoryLedger(), policy: recommendedPolicy() })
  await enforcement.start()
  const on = issSub('https://idp.example', 'alice')
  const terms = { shorten: { lifetimeSeconds: 0 }, restrict: { take: ['pay'] } }
  await enforcement.take({
    on,
    cause: 'test',
    effect,
    ...(Object.hasOwn(terms, effect) && { terms: terms[effect as keyof typeof terms] }),
  } as Parameters<typeof enforcement.take>[0])
  const who = { subject: on, began: new Date(Date.now() - 60_000) }
  const decision = enforcement.check(who, { requires: ['pay'] })
  await enforcement.stop()
  if (decision.outcome === 'allow') throw new Error(`${effect} lets the session in`)
  return decision.response()
}
