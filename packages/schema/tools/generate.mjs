// Generates, for every JSON Schema in events/, its payload type, its event type value and its standalone
// validator, the modules of the families, and the page docs/event-types.md. `--check` writes nothing and
// fails where a file is stale.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import path from 'node:path'
import * as prettier from 'prettier'
import { eventModule, familyIndex, familyModule, knownEventModule } from './modules.mjs'
import { pageOf, readMeanings } from './page.mjs'
import { readSchemas } from './schemas.mjs'
import { validatorFiles, validatorSource } from './validators.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const workspace = path.resolve(root, '../..')
const check = process.argv.includes('--check')
const stale = []
const emitted = new Set()

async function emit(file, content) {
  emitted.add(file)
  const text = file.endsWith('.validate.ts') ? content : await formatted(file, content)
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return
  if (check) stale.push(path.relative(workspace, file))
  else await writeFile(file, text)
}

async function emitValidator(file, schema) {
  if (!emitted.has(file)) await emit(file, await validatorSource(schema, definitions))
}

async function formatted(file, content) {
  const options = { ...(await prettier.resolveConfig(file)), filepath: file }
  // Twice, for its plugin breaks some long comments only at the second look.
  return await prettier.format(await prettier.format(content, options), options)
}

const source = (...names) => path.join(root, 'src', ...names)

const { definitions, events } = await readSchemas(path.join(root, 'events'))
const families = [...new Set(events.map(({ family }) => family))]
const validators = validatorFiles(events)

for (const event of events) {
  const { family, name, own, common } = event
  const validator = validators.get(event)
  await emit(source(family, `${name}.ts`), eventModule(event, validator))
  await emitValidator(source(family, `${validator}.validate.ts`), own)
  if (common) await emitValidator(source(family, 'common.validate.ts'), common)
}
for (const family of families) {
  const own = events.filter((event) => event.family === family)
  await emit(source(family, `${family}-event.ts`), familyModule(family, own))
  await emit(source(family, 'index.ts'), familyIndex(family, own))
}
await emit(source('known-event.ts'), knownEventModule(families))
const page = pageOf(families, events, await readMeanings(root))
await emit(path.join(workspace, 'docs', 'event-types.md'), page)

// What no schema asks for any more.
for (const family of families) {
  for (const name of await readdir(source(family))) {
    const file = source(family, name)
    if (emitted.has(file)) continue
    if (check) stale.push(path.relative(workspace, file))
    else await rm(file)
  }
}

if (stale.length > 0) {
  console.error(`stale, run \`npm run generate\`:\n  ${stale.join('\n  ')}`)
  process.exitCode = 1
}
