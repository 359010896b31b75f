import { execFileSync } from 'node:child_process'
import { interleave } from '../support/measure.mjs'

const rounds = 15

/** Milliseconds of a fresh process that imports so much, beside one that imports nothing. */
export async function schemaStart() {
  const programs = {
    'schema, start with the root': "import '@drawbridge/schema'",
    'schema, start with the root and caep':
      "import '@drawbridge/schema'; import '@drawbridge/schema/caep'",
  }
  const rows = []
  for (const [name, program] of Object.entries(programs)) {
    const result = await interleave(
      rounds,
      () => milliseconds(program),
      () => milliseconds(''),
    )
    rows.push({ name, goal: '≤1.5', unit: 'ms', ...result })
  }
  return rows
}

function milliseconds(program) {
  const start = performance.now()
  execFileSync(process.execPath, ['--input-type=module', '--eval', program])
  return performance.now() - start
}
