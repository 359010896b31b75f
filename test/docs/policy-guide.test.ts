import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import {
  createEnforcement,
  createPolicy,
  memoryLedger,
  recommendedPolicy,
  type Rule,
} from '@drawbridge/enforcement'
import { accessMeanings } from '@drawbridge/schema'
import * as caep from '@drawbridge/schema/caep'
import * as risc from '@drawbridge/schema/risc'
import { describe, expect, it } from '@jest/globals'
import {
  counterSignals,
  isWith,
  meaningOf,
  nameOf,
  tableOf,
  whereOf,
} from '../support/policy-tables.ts'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

const page = 'docs/guides/policy.md'

/** What is wrong with the options of a call. */
function mistakesOf(call: () => unknown): string[] {
  try {
    call()
  } catch (error) {
    return [...(error as { readonly mistakes: readonly string[] }).mistakes]
  }
  return []
}

/** Rules that differ in the kind of session alone are one row. */
function rowsOf(rules: readonly Rule[]): string[][] {
  const groups = new Map<string, Rule[]>()
  for (const rule of rules) {
    const { on, kind, ...rest } = rule
    const key = JSON.stringify([on.uri, kind === undefined, rest])
    groups.set(key, [...(groups.get(key) ?? []), rule])
  }
  const narrow = new Set(rules.flatMap(({ on, kind }) => (kind === undefined ? [] : on.uri)))
  return [...groups.values()].map(([rule, ...others]) => {
    const kinds = [rule, ...others].flatMap((one) => (one?.kind ? `\`${one.kind}\`` : []))
    const rest = rule && narrow.has(rule.on.uri) ? 'all others' : 'all'
    return rule ? rowOf(rule, kinds.join(', ') || rest) : []
  })
}

function rowOf({ on, claims = {}, effect, reason = '' }: Rule, sessions: string): string[] {
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
    sessions,
    `\`${effect}\``,
    kind + (whereOf(meaning, [kind]) ?? ''),
    back.join('; ') || 'nothing',
    reason,
  ]
}

describe('docs/guides/policy.md', () => {
  it('has the recommended policy, rule by rule, with what gives it back', async () => {
    expect(await tableOf(page, 'recommended')).toEqual(rowsOf(recommendedPolicy().rules))
  })

  it('has every other type, with what it decides and why', async () => {
    const { knows } = recommendedPolicy()
    const others = [...accessMeanings].filter(([uri]) => !knows(uri))
    expect(await tableOf(page, 'without')).toEqual(
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
    const rows = await tableOf(page, 'mistakes')
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
  })
})
