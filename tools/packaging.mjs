// Proves that what would be published can be used: packs every package, lints each tarball, installs
// them together into an empty folder, imports and requires every subpath, and compiles a consumer.
import { rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onStop, run } from './run.mjs'

const root = process.cwd()
const bin = (name) => JSON.stringify(path.join(root, 'node_modules', '.bin', name))
const failures = []

/** Runs a step and remembers what went wrong, so that all mistakes are seen at once. */
async function step(name, command, cwd = root) {
  const { code, output } = await run(command, { cwd })
  if (code === 0) return true
  failures.push(name)
  console.error(`${name}: failed\n${output.trim()}\n`)
  return false
}

const folder = await mkdtemp(path.join(tmpdir(), 'drawbridge-packaging-'))
onStop(() => rmSync(folder, { recursive: true, force: true }))
try {
  const packages = []
  for (const name of await readdir('packages')) {
    const manifest = JSON.parse(await readFile(`packages/${name}/package.json`, 'utf8'))
    packages.push({ name, manifest, tarball: path.join(folder, `${name}.tgz`) })
  }
  for (const { name, manifest, tarball } of packages) {
    const packed = `npm pack ./packages/${name} --silent --pack-destination ${folder}`
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    await step(`pack ${name}`, `${packed} && mv ${folder}/${file} ${tarball}`)
    await step(`publint ${name}`, `${bin('publint')} run ${tarball} --strict`)
    await step(`attw ${name}`, `${bin('attw')} ${tarball} --profile esm-only --no-emoji`)
  }

  const consumer = path.join(folder, 'consumer')
  await mkdir(consumer)
  await writeFile(path.join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n')
  const tarballs = packages.map(({ tarball }) => tarball).join(' ')
  const flags = '--silent --prefer-offline --no-audit --no-fund --no-package-lock'
  if (await step('install', `npm install ${flags} ${tarballs}`, consumer)) {
    for (const { manifest } of packages) {
      for (const subpath of Object.keys(manifest.exports)) {
        if (subpath === './package.json') continue
        const name = JSON.stringify(manifest.name + subpath.slice(1))
        const some = 'if (Object.keys(all).length === 0) throw new Error("exports nothing")'
        const esm = `import * as all from ${name}; ${some}`
        const cjs = `const all = require(${name}); ${some}`
        await step(`import ${name}`, `node --input-type=module --eval '${esm}'`, consumer)
        await step(`require ${name}`, `node --input-type=commonjs --eval '${cjs}'`, consumer)
      }
    }
    for (const file of ['consumer.ts', 'tsconfig.json']) {
      await copyFile(path.join('tools', 'packaging', file), path.join(consumer, file))
    }
    const types = JSON.stringify(path.join(root, 'node_modules', '@types'))
    await step('compile', `${bin('tsc')} -p . --typeRoots ${types}`, consumer)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

if (failures.length > 0) {
  console.error(`packaging: ${failures.length} failed: ${failures.join(', ')}`)
  process.exitCode = 1
}
