import { sorted } from './sorted.mjs'

const head = `# Conformance

Where each row of [requirements.md](requirements.md) is tested. \`npm run conformance\` writes this page
from the titles of the tests and from \`tools/conformance/reasons.json\`; nobody edits it.

A row is **tested** where the title of a test names it, **excused** where a reason says why no test can or
should, and **open** otherwise. What is skipped tests nothing.

<!-- prettier-ignore-start -->
`

const states = ['tested', 'excused', 'open']
const levels = ['MUST', 'SHOULD', 'MAY']

/**
 * Writes docs/conformance.md.
 *
 * @param sections - What `readRequirements` read, each row with its state, files and reason
 * @returns The page
 */
export function pageOf(sections) {
  const rated = sections.filter(({ rows }) => rows[0].level !== undefined)
  return [
    head,
    '## All rows\n',
    counts(rated, () => true),
    '## Rows on the token and on data structures (`SET`)\n',
    counts(rated, ({ who }) => who === 'SET'),
    ...sections.map(sectionOf),
    links(sections),
    '\n<!-- prettier-ignore-end -->\n',
  ].join('\n')
}

function counts(sections, wanted) {
  const columns = ['rows', ...levels, ...states]
  const lines = sections.flatMap(({ title, rows }) => {
    const those = rows.filter(wanted)
    return those.length === 0 ? [] : [[title, ...countsOf(those)]]
  })
  const total = countsOf(sections.flatMap(({ rows }) => rows.filter(wanted)))
  return table(['Specification', ...columns], [...lines, ['**Total**', ...total]])
}

const countsOf = (rows) => [
  rows.length,
  ...levels.map((level) => rows.filter((row) => row.level === level).length),
  ...states.map((state) => rows.filter((row) => row.state === state).length),
]

function sectionOf({ title, rows }) {
  const rated = rows[0].level !== undefined
  const cells = rows.map((row) => [row.id, ...(rated ? [row.level, row.who] : []), said(row)])
  return `## ${title}\n\n${table(['ID', ...(rated ? ['Level', 'Who'] : []), 'State'], cells)}`
}

function said({ state, files, reason }) {
  if (state === 'tested') return files.map((file) => `[${nameOf(file)}]`).join(' ')
  return state === 'excused' ? reason : '**open**'
}

function links(sections) {
  const files = new Set(sections.flatMap(({ rows }) => rows.flatMap((row) => row.files)))
  return sorted([...files])
    .map((file) => `[${nameOf(file)}]: ../${file}`)
    .join('\n')
}

/** `packages/schema/test/caep.test.ts` as `schema/caep`. */
const nameOf = (file) =>
  file.replace(/^packages\/([^/]+)\/(?:test|src)\//, '$1/').replace(/(?:[.]test)?[.]ts$/, '')

function table(columns, rows) {
  const rule = columns.map(() => '---')
  return [columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}
