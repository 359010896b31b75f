// Writes docs/conformance.md from docs/requirements.md, the titles of the tests and the reasons why a row
// has none. `--check` writes nothing and fails where the page is stale or a row and its tests disagree.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pageOf } from './conformance/page.mjs'
import { readRequirements } from './conformance/requirements.mjs'
import { sorted } from './conformance/sorted.mjs'
import { titledIds } from './conformance/titles.mjs'

const root = path.resolve(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const page = 'docs/conformance.md'
const read = (file) => readFile(path.join(root, file), 'utf8')

/** Whose rows may not be open. */
const checkedWho = new Set(['SET', 'Transmitter', 'Both'])

/** A test file, or a part of one whose tests run once for each binding. */
const isTest = (file) => /(?:[.]test|\/walk-[a-z-]+)[.]ts$/.test(file)

/** Test files, sorted, without what is installed or built. */
async function testFiles(folder) {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true })
  const files = await Promise.all(
    entries.map((entry) => {
      const file = `${folder}/${entry.name}`
      if (entry.isDirectory())
        return /^(?:node_modules|dist)$/.test(entry.name) ? [] : testFiles(file)
      return isTest(file) ? [file] : []
    }),
  )
  return sorted(files.flat())
}

async function titlesIn(folders) {
  const files = (await Promise.all(folders.map(testFiles))).flat()
  return (
    await Promise.all(
      files.map(async (file) =>
        titledIds(file, await read(file)).map((title) => ({ file, ...title })),
      ),
    )
  ).flat()
}

function withState(row, titles, reasons) {
  const own = titles.filter(({ id, runs }) => id === row.id && runs)
  const files = sorted([...new Set(own.map(({ file }) => file))])
  const reason = reasons[row.id]
  const excused = reason === undefined ? 'open' : 'excused'
  return { ...row, files, reason, state: files.length > 0 ? 'tested' : excused }
}

/** What is wrong with rows, titles and reasons, each with what to do about it. */
function problemsOf(rows, titles, reasons) {
  const ids = new Set(rows.map(({ id }) => id))
  const prefixes = new Set([...ids].map((id) => id.split('-')[0]))
  // Whatever has the form of an ID is meant as one, and so is a part of one.
  const isMeant = (id) => /-.*-/.test(id) || prefixes.has(id.split('-')[0])
  const unknown = titles.filter(({ id }) => isMeant(id) && !ids.has(id))
  const twice = rows.filter(({ id }, index) => rows.findIndex((row) => row.id === id) < index)
  return [
    ...twice.map(({ id }) => `docs/requirements.md has two rows "${id}": rename one`),
    ...unknown.map(
      ({ file, line, id }) =>
        `${file}:${line}: "${id}" is no row of docs/requirements.md: correct the title`,
    ),
    ...Object.keys(reasons)
      .filter((id) => !ids.has(id))
      .map((id) => `tools/conformance/reasons.json: "${id}" is no row: remove it`),
    ...rows
      .filter(({ state, reason }) => state === 'tested' && reason !== undefined)
      .map(({ id, files }) => `"${id}" has a reason and a test in ${files[0]}: remove the reason`),
    ...rows
      .filter(({ who, state }) => checkedWho.has(who) && state === 'open')
      .map(({ id }) => `"${id}" is open: name it in the title of its test, or give a reason`),
  ]
}

const reasons = JSON.parse(await read('tools/conformance/reasons.json'))
const titles = await titlesIn(['packages', 'test', 'examples'])
const sections = readRequirements(await read('docs/requirements.md')).map(({ title, rows }) => ({
  title,
  rows: rows.map((row) => withState(row, titles, reasons)),
}))
const rows = sections.flatMap((section) => section.rows)
const problems = problemsOf(rows, titles, reasons)
const text = pageOf(sections)

if (!check) await writeFile(path.join(root, page), text)
else if (text !== (await read(page).catch(() => ''))) {
  problems.push(`${page} is stale: run "npm run conformance"`)
}
for (const problem of problems) console.error(problem)
if (check && problems.length > 0) process.exitCode = 1
