import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type Rule,
} from '@drawbridge/enforcement'
import { accessMeanings, type AccessMeaningRow, type EventType } from '@drawbridge/schema'
import * as caep from '@drawbridge/schema/caep'
import * as oauth from '@drawbridge/schema/oauth'
import * as risc from '@drawbridge/schema/risc'
import * as scim from '@drawbridge/schema/scim'
import * as ssf from '@drawbridge/schema/ssf'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

const page = 'docs/guides/policy.md'
const types = new Map(
  Object.entries({ ...caep, ...oauth, ...risc, ...scim, ...ssf } as Record<string, Partial<EventType>>).map(
    ([name, { uri }]) => [uri, name],
  ),
)
const nameOf = (uri: string): string => `\`${types.get(uri) ?? uri}\``
const meaningOf = (uri: string): AccessMeaningRow => {
  const meaning = accessMeanings.get(uri)
  if (!meaning) throw new Error(`no meaning of ${uri}`)
  return meaning
}

const pageText = (): Promise<string> => readFile(path.join(root, page), 'utf8')

/** The rows of the table under `<!-- table: name -->`, cell by cell. */
async function tableOf(name: string): Promise<string[][]> {
  const [, table = ''] = (await pageText()).split(`<!-- table: ${name} -->`)
  const rows = table.trimStart().split('\n\n', 1)[0]?.split('\n').slice(2) ?? []
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** What is wrong with the options of a call. */
function mistakesOf(call: () => unknown): string[] {
  try {
    call()
  } catch (error) {
    return [...(error as { readonly mistakes: readonly string[] }).mistakes]
  }
  return []
}

const isWith = (member: string, value: unknown): string => `\`${member}\` is \`${String(value)}\``

/** Where an event of a type decides so: by itself, or by the value of a member. */
function whereOf({ decision }: AccessMeaningRow, wanted: readonly string[]): string | undefined {
  if (typeof decision === 'string') return wanted.includes(decision) ? '' : undefined
  const { member, values, otherwise } = decision
  const [fitting, others] = [true, false].map((fits) =>
    Object.entries(values).filter(([, one]) => wanted.includes(one) === fits),
  )
  if (wanted.includes(otherwise)) {
    return ` unless ${others?.map(([value]) => isWith(member, value)).join(', ') ?? ''}`
  }
  if (!fitting?.length) return undefined
  return ` where ${fitting.map(([value]) => isWith(member, value)).join(', ')}`
}

function counterSignals(cause: string): string[] {
  return [...accessMeanings].flatMap(([uri, meaning]) => {
    const where = meaning.cause === cause ? whereOf(meaning, ['lift']) : undefined
    if (where !== undefined) return [nameOf(uri) + where]
    return (meaning.lifts ?? []).flatMap((lifted) => {
      const [name, member] = lifted.split(/:\{|\}/)
      if (name !== cause) return []
      return [nameOf(uri) + (member === undefined ? '' : ` of the same \`${member}\``)]
    })
  })
}

function rowOf({ on, claims = {}, effect, reason = '' }: Rule): string[] {
  const meaning = meaningOf(on.uri)
  const where = Object.entries(claims).map(([name, value]) => ` where ${isWith(name, value)}`)
  const kind = ['cut', 'condition'].find((one) => whereOf(meaning, [one]) !== undefined) ?? ''
  const back = [
    ...(effect === 'reauthenticate' ? ['an authentication after T'] : []),
    ...(kind === 'condition' ? counterSignals(meaning.cause) : []),
    ...(kind === 'cut' && effect !== 'reauthenticate' ? ['a new session'] : []),
  ]
  return [
    nameOf(on.uri) + where.join(''),
    `\`${effect}\``,
    kind + (whereOf(meaning, [kind]) ?? ''),
    back.join('; ') || 'nothing',
    reason,
  ]
}

describe('docs/guides/policy.md', () => {
  it('has the recommended policy, rule by rule, with what gives it back', async () => {
    expect(await tableOf('recommended')).toEqual(recommendedPolicy().rules.map(rowOf))
  })

  it('has every other type, with what it decides and why', async () => {
    const { knows } = recommendedPolicy()
    const others = [...accessMeanings].filter(([uri]) => !knows(uri))
    expect(await tableOf('without')).toEqual(
      others.map(([uri, { decision, reason }]) => [nameOf(uri), String(decision), reason]),
    )
  })

  it('has messages of mistakes that are made so', async () => {
    const { AssuranceLevelChange, RiskLevelChange, SessionPresented, SessionRevoked } = caep
    const fourth = (rule: unknown): string[] => {
      const wide = [SessionRevoked, caep.CredentialChange, risc.AccountDisabled].map((on) => {
        return { on, effect: 'suspend' } as const
      })
      return mistakesOf(() => createPolicy([...wide, rule as Rule]))
    }
    const asking = createPolicy([
      { on: RiskLevelChange, effect: 'reauthenticate', terms: { acr: 'a' } },
      { on: AssuranceLevelChange, effect: 'reauthenticate', terms: { acr: 'b' } },
    ])
    const made = [
      fourth({ on: SessionRevoked.uri, effect: 'terminate' }),
      fourth({ on: SessionPresented, effect: 'terminate' }),
      fourth({ on: SessionRevoked, effect: 'terminate' }),
      fourth({ on: risc.CredentialCompromise, effect: 'reauthenticate' }),
      fourth({ on: RiskLevelChange, claims: { level: 'HIGH' }, effect: 'suspend' }),
      fourth({ on: RiskLevelChange, effect: 'restrict', terms: {} }),
      fourth({ on: RiskLevelChange, effect: 'shorten', terms: {} }),
      mistakesOf(() => createEnforcement({ ledger: memoryLedger(), policy: asking })),
    ]
    const rows = await tableOf('mistakes')
    expect(rows.map(([message]) => message)).toEqual(made.flat().map((one) => `\`${one}\``))
  })

  it('has a program that compiles and prints what the page says', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const [programs, printed] = await Promise.all([blocksOf(page), blocksOf(page, 'output')])
      expect([...programs.keys()]).toEqual(['policy.ts'])
      await writeFile(path.join(folder, 'policy.ts'), programs.get('policy.ts') ?? '')
      await compile(folder)
      expect(await output(folder, 'policy.js')).toBe(printed.get('policy.ts')?.trim())
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 60_000)
})
