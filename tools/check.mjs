// Runs the gates, and then their canaries in a copy of the workspace.
//   npm run check                       everything
//   npm run check -- types lint         some gates and their canaries
//   npm run check -- --no-canaries      the gates alone
import { rmSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gates } from './gates.mjs'
import { onStop, run } from './run.mjs'

const root = path.resolve(import.meta.dirname, '..')
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unknown = names.filter((name) => !gates.some((gate) => gate.name === name))
if (unknown.length > 0) {
  const known = gates.map(({ name }) => name).join(', ')
  console.error(`no such gate: ${unknown.join(', ')} (there are: ${known})`)
  process.exit(1)
}
const chosen = gates.filter(({ name }) => names.length === 0 || names.includes(name))
let passed = 0
let failed = 0

function report(name, began, problem) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${problem === undefined ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (problem === undefined) passed++
  else {
    failed++
    console.log(problem.trim().replaceAll(/^/gm, '  '))
  }
}

for (const gate of chosen) {
  const began = performance.now()
  const { code, output } = await run(gate.run, { cwd: root })
  report(gate.name, began, code === 0 ? undefined : output)
}

/** Copies the workspace. Third-party packages are linked, ours are those of the copy. */
async function copyWorkspace(copy) {
  const left = new Set(['node_modules', '.git', 'api'])
  await cp(root, copy, {
    recursive: true,
    filter: (source) => !left.has(path.basename(source)) && !/\/[.]?readme-/.test(source),
  })
  await mkdir(path.join(copy, 'node_modules'))
  for (const name of await readdir(path.join(root, 'node_modules'))) {
    const [from, to] = [
      path.join(root, 'node_modules', name),
      path.join(copy, 'node_modules', name),
    ]
    if (name.startsWith('@drawbridge')) {
      await cp(from, to, { recursive: true, verbatimSymlinks: true })
    } else await symlink(from, to)
  }
}

async function plantAndRun(copy, gate, { plant, expect }) {
  const before = new Map()
  let result
  try {
    for (const [name, text] of Object.entries(plant)) {
      const file = path.join(copy, name)
      const old = await readFile(file, 'utf8').catch(() => undefined)
      const planted = typeof text === 'function' ? text(old ?? '') : text
      if (planted === old) return `the canary changes nothing in ${name}`
      before.set(file, old)
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, planted)
    }
    result = await run(gate.run, { cwd: copy })
  } finally {
    for (const [file, old] of before) await (old === undefined ? rm(file) : writeFile(file, old))
  }
  const { code, output } = result
  if (code === 0) return 'the gate stayed green'
  const missed = expect.filter((words) => !words.test(output))
  if (missed.length > 0) return `the gate did not say: ${missed.join(' ')}\n${output}`
  return undefined
}

if (!process.argv.includes('--no-canaries')) {
  const copy = await mkdtemp(path.join(tmpdir(), 'drawbridge-canary-'))
  onStop(() => rmSync(copy, { recursive: true, force: true }))
  try {
    await copyWorkspace(copy)
    for (const gate of chosen) {
      for (const [index, canary] of gate.canaries.entries()) {
        const began = performance.now()
        const problem = await plantAndRun(copy, gate, canary)
        report(`canary of ${gate.name}${index > 0 ? ` ${index + 1}` : ''}`, began, problem)
      }
    }
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

console.log(`${passed} passed, ${failed} failed, 0 skipped`)
if (failed > 0) process.exitCode = 1
