// Proves that what would be published can be used: packs every package, lints each tarball, installs
// them together into an empty folder, imports and requires every subpath, compiles consumers with the
// oldest and the newest TypeScript, and looks into bundles of what an application would import.
import { rmSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkSizes } from './packaging/sizes.mjs'
import { onStop, run } from './run.mjs'

const root = process.cwd()
const installed = (...names) => JSON.stringify(path.join(root, 'node_modules', ...names))
const bin = (name) => installed('.bin', name)
const failures = []

/** Subpaths that need a package which nobody else has to install. */
const optionalPeers = {
  '@drawbridge/enforcement/mcp': '@modelcontextprotocol/server',
  '@drawbridge/schema/json-schema': 'ajv',
}

const compilers = {
  // By way of the link, which a copy of the workspace has as well.
  'TypeScript 5.4': installed('drawbridge-type-tests', 'node_modules', 'typescript', 'bin', 'tsc'),
  'TypeScript 7': installed('@typescript', 'native', 'bin', 'tsc'),
}
const resolutions = { NodeNext: 'nodenext', Bundler: 'esnext --moduleResolution bundler' }

function fail(name, output) {
  failures.push(name)
  console.error(`${name}: failed\n${output.trim()}\n`)
  return false
}

/** Runs a step and remembers what went wrong, so that all mistakes are seen at once. */
async function step(name, command, cwd = root) {
  const { code, output } = await run(command, { cwd })
  return code === 0 || fail(name, output)
}

/** Imports and requires a subpath. */
async function load(subpath, cwd) {
  const name = JSON.stringify(subpath)
  const some = 'if (Object.keys(all).length === 0) throw new Error("exports nothing")'
  const esm = `import * as all from ${name}; ${some}`
  const cjs = `const all = require(${name}); ${some}`
  await step(`import ${name}`, `node --input-type=module --eval '${esm}'`, cwd)
  await step(`require ${name}`, `node --input-type=commonjs --eval '${cjs}'`, cwd)
}

/** Says of a subpath that its peer is all it lacks. */
async function loadWithoutPeer(subpath, peer, cwd) {
  const { code, output } = await run(`node --input-type=module --eval 'import "${subpath}"'`, {
    cwd,
  })
  if (code === 0 || !output.includes(`Cannot find package '${peer}'`)) {
    fail(`import ${JSON.stringify(subpath)} without ${peer}`, output)
  }
}

async function compile(cwd) {
  for (const from of [path.join('tools', 'packaging'), path.join('test', 'types')]) {
    for (const file of await readdir(from)) {
      if (!file.endsWith('.ts') && file !== 'tsconfig.json') continue
      await copyFile(path.join(from, file), path.join(cwd, file))
    }
  }
  for (const [compiler, tsc] of Object.entries(compilers)) {
    for (const [resolution, module] of Object.entries(resolutions)) {
      const flags = `--typeRoots ${installed('@types')} --module ${module}`
      await step(`compile, ${compiler}, ${resolution}`, `node ${tsc} -p . ${flags}`, cwd)
    }
  }
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
    const subpaths = packages.flatMap(({ manifest }) =>
      Object.keys(manifest.exports)
        .filter((subpath) => subpath !== './package.json')
        .map((subpath) => manifest.name + subpath.slice(1)),
    )
    const peers = []
    for (const subpath of subpaths) {
      const peer = optionalPeers[subpath]
      if (peer === undefined) await load(subpath, consumer)
      else {
        await loadWithoutPeer(subpath, peer, consumer)
        const { manifest } = packages.find((one) => subpath.startsWith(`${one.manifest.name}/`))
        peers.push(`${peer}@${manifest.peerDependencies[peer]}`)
      }
    }
    await compile(consumer)
    const schema = packages.find(({ name }) => name === 'schema')
    const problems = await checkSizes(consumer, schema.manifest)
    if (problems.length > 0) fail('sizes', problems.join('\n'))
    if (await step('install peers', `npm install ${flags} ${peers.join(' ')}`, consumer)) {
      for (const subpath of Object.keys(optionalPeers)) await load(subpath, consumer)
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

if (failures.length > 0) {
  console.error(`packaging: ${failures.length} failed: ${failures.join(', ')}`)
  process.exitCode = 1
}
