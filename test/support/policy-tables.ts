import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { accessMeanings, type AccessMeaningRow, type EventType } from '@drawbridge/schema'
import * as caep from '@drawbridge/schema/caep'
import * as oauth from '@drawbridge/schema/oauth'
import * as risc from '@drawbridge/schema/risc'
import * as scim from '@drawbridge/schema/scim'
import * as ssf from '@drawbridge/schema/ssf'
import { root } from './snippets.ts'

const types = new Map(
  Object.entries({ ...caep, ...oauth, ...risc, ...scim, ...ssf } as Record<
    string,
    Partial<EventType>
  >).map(([name, { uri }]) => [uri, name]),
)

/** What an event type is called in a page. */
export const nameOf = (uri: string): string => `\`${types.get(uri) ?? uri}\``

/** What an event type means for access. */
export function meaningOf(uri: string): AccessMeaningRow {
  const meaning = accessMeanings.get(uri)
  if (!meaning) throw new Error(`no meaning of ${uri}`)
  return meaning
}

/** The rows of the table of a page under `<!-- table: name -->`, cell by cell. */
export async function tableOf(page: string, name: string): Promise<string[][]> {
  const text = await readFile(path.join(root, page), 'utf8')
  const [, table = ''] = text.split(`<!-- table: ${name} -->`)
  const rows = table.trimStart().split('\n\n', 1)[0]?.split('\n').slice(2) ?? []
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** How a page says which value a member has. */
export const isWith = (member: string, value: unknown): string =>
  `\`${member}\` is \`${String(value)}\``

/** Where an event of a type decides so: by itself, or by the value of a member. */
export function whereOf(
  { decision }: AccessMeaningRow,
  wanted: readonly string[],
): string | undefined {
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

/** What lifts the conditions of a cause. */
export function counterSignals(cause: string): string[] {
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
