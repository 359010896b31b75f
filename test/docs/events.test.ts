import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import ts from 'typescript'

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** The interfaces, in the order of the page. */
const sources = {
  TransmitterEvents: 'packages/transmitter/src/transmitter-events.ts',
  ReceiverEvents: 'packages/receiver/src/receiver-events.ts',
  EnforcementEvents: 'packages/enforcement/src/enforcement-events.ts',
} as const

/** A member's name, with a question mark where it is optional. */
type Members = readonly string[]
type Events = readonly (readonly [name: string, members: Members])[]

/** The events of an interface as they stand in the source, parsed and not guessed. */
function eventsInSource(name: keyof typeof sources): Events {
  const file = pathOf(sources[name])
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  const interfaces = new Map(
    source.statements
      .filter((statement) => ts.isInterfaceDeclaration(statement))
      .map((declaration) => [declaration.name.text, declaration]),
  )
  const declarationOf = (node: ts.Node): ts.InterfaceDeclaration => {
    const declaration = interfaces.get(node.getText())
    if (!declaration) throw new Error(`${sources[name]} does not declare ${node.getText()}`)
    return declaration
  }
  const membersOf = (type: ts.Node): string[] => {
    if (ts.isIntersectionTypeNode(type)) return type.types.flatMap(membersOf)
    if (ts.isTypeReferenceNode(type)) return membersOf(declarationOf(type.typeName))
    if (ts.isInterfaceDeclaration(type)) {
      const parents = (type.heritageClauses ?? []).flatMap(({ types }) => types)
      const inherited = parents.flatMap(({ expression }) => membersOf(declarationOf(expression)))
      return [...inherited, ...type.members.map(nameOf)]
    }
    if (ts.isTypeLiteralNode(type)) return type.members.map(nameOf)
    throw new Error(`not read: ${type.getText()}`)
  }
  const events = interfaces.get(name)?.members ?? []
  return events.map((event) => {
    if (!ts.isPropertySignature(event) || !event.type || !ts.isStringLiteral(event.name)) {
      throw new Error(`not read: ${event.getText()}`)
    }
    return [event.name.text, membersOf(event.type)] as const
  })
}

const nameOf = (member: ts.TypeElement): string =>
  `${member.name?.getText()}${member.questionToken ? '?' : ''}`

/** The sections of the page: `## Interface`, `### event`, and a table of its members. */
const page = readFileSync(pathOf('docs/events.md'), 'utf8')

function eventsInPage(name: string): Events {
  return sectionsOf(name).map((section) => {
    const rows = [...section.matchAll(/^\| `(\w+)` +\| (.*)\|$/gm)]
    const members = rows.map(([, member, meaning]) =>
      meaning?.startsWith('optional: ') ? `${member}?` : String(member),
    )
    return [section.split('\n', 1)[0] ?? '', members] as const
  })
}

function sectionsOf(name: string): readonly string[] {
  const [, chapter = ''] = page.split(new RegExp(`^## ${name}\n`, 'm'))
  return (chapter.split(/^## /m)[0] ?? '').split(/^### /m).slice(1)
}

describe('docs/events.md', () => {
  it.each(Object.keys(sources) as (keyof typeof sources)[])(
    'has every event of %s and no other, with its members, in the order of the source',
    (name) => {
      const events = eventsInSource(name)
      expect(events.length).toBeGreaterThan(4)
      expect(eventsInPage(name)).toEqual(events)
    },
  )

  it('has no other chapters', () => {
    const chapters = [...page.matchAll(/^## (.+)$/gm)].map(([, chapter]) => chapter)
    expect(chapters).toEqual(Object.keys(sources))
  })

  it('says of each event when it happens, and of each member what it is', () => {
    for (const section of Object.keys(sources).flatMap(sectionsOf)) {
      const [event, ...lines] = section.split('\n')
      const [text = '', ...table] = lines
        .join('\n')
        .trim()
        .split(/\n+\| /)
      expect([event, text.replaceAll('\n', ' ')]).toEqual([
        event,
        expect.stringMatching(/^[A-Z`].{15,}\.$/),
      ])
      const silent = table.filter((row) => / \| +\|$/m.test(row) && !row.startsWith('`at`'))
      expect([event, silent]).toEqual([event, []])
    }
  })
})
