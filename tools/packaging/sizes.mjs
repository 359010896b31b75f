import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const eventTypeUri =
  /https:\/\/schemas\.openid\.net\/secevent\/[\w/-]*event-type\/[\w-]+|urn:ietf:params:scim:event:\w[\w:]*/g

const from = (subpath, names = '*') => `export ${names} from '@drawbridge/schema${subpath}'\n`

/** What is bundled. `ajv` and `validators` say whether it may have those, `types` how many URIs. */
const programs = (subpaths) => ({
  SessionRevoked: { text: from('/caep', '{ SessionRevoked }'), types: 1 },
  'all of caep': { text: from('/caep') },
  readSet: { text: from('', '{ readSet }'), validators: false },
  'all of the root': { text: from(''), validators: false },
  'profile strict': { text: from('/profiles', '{ strict }'), validators: false },
  'profile tolerant': { text: from('/profiles', '{ tolerant }'), validators: false },
  'everything but json-schema': {
    text: subpaths.map((subpath, at) => from(subpath, `* as all${at}`)).join(''),
  },
  'json-schema, without ajv itself': { text: from('/json-schema'), ajv: true },
})

/**
 * Bundles programs that use the installed `@drawbridge/schema` as for a browser, prints how large
 * each is, and returns what is in one that should not be.
 */
export async function checkSizes(folder, manifest) {
  const subpaths = Object.keys(manifest.exports)
    .filter((subpath) => subpath !== './package.json' && subpath !== './json-schema')
    .map((subpath) => subpath.slice(1))
  const problems = []
  for (const [name, program] of Object.entries(programs(subpaths))) {
    const { text, files } = await bundle(program.text, folder)
    const bytes = (size) => `${size.toLocaleString('en')} B`.padStart(10)
    const [minified, zipped] = [Buffer.byteLength(text), gzipSync(text).length]
    console.log(`size ${name.padEnd(34)} ${bytes(minified)} ${bytes(zipped)} with gzip`)
    problems.push(...wrongWith(program, text, files).map((problem) => `${name}: ${problem}`))
  }
  return problems
}

function wrongWith({ ajv = false, validators = true, types = Infinity }, text, files) {
  const uris = new Set(text.match(eventTypeUri))
  return [
    text.includes('ajv') === ajv ? '' : ajv ? 'does not import "ajv"' : 'mentions "ajv"',
    !validators && files.some((file) => file.endsWith('.validate.js')) ? 'has a validator' : '',
    uris.size > types ? `has ${uris.size} event type URIs` : '',
  ].filter(Boolean)
}

/** The bundle, and the files of which something is left in it. */
async function bundle(contents, resolveDir) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    minify: true,
    legalComments: 'none',
    metafile: true,
    external: ['ajv/*'],
  })
  const [output] = Object.values(metafile.outputs)
  const left = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return { text: outputFiles[0].text, files: left.map(([file]) => file) }
}
