// Reads every JSON example that the specifications print: `npm run spec-examples -- <folder>`, where the folder
// holds their sources (openid-*.md and openid-*.xml, as in the working group's repository). Their text is not
// in this repository. What cannot be read must be a slip that is known here, and a slip must still be one.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import * as schema from '@drawbridge/schema'
import { caepEventTypes } from '@drawbridge/schema/caep'
import { strict } from '@drawbridge/schema/profiles'
import { riscEventTypes } from '@drawbridge/schema/risc'
import { ssfEventTypes } from '@drawbridge/schema/ssf'

/** What the texts get wrong (GAP-30 and GAP-2 in docs/requirements.md), by what the reader says. */
const knownSlips = new Map([
  ['openid-risc-1_0.xml, Account Disabled, 2', 'not JSON'],
  [
    'openid-sharedsignals-framework-1_0.md, Example SETs that conform to the Shared Signals Framework, 9',
    '"sub_id.phone_number" must be an E.164 number such as +12065550100: the format needs it',
  ],
])

const sources = [
  'openid-sharedsignals-framework-1_0.md',
  'openid-caep-1_0.md',
  'openid-risc-1_0.xml',
]
const types = new Map(
  [...ssfEventTypes, ...caepEventTypes, ...riscEventTypes].map((type) => [type.uri, type]),
)

/**
 * The blocks of a text.
 *
 * @yields A block with the title of its section
 */
function* blocksOf(text) {
  let title = ''
  const parts =
    /^#+ (.*)$|^(~~~|```).*\n([^]*?)^\2\s*$|<name>(.*?)<\/name>|<section[^>]*?title="(.*?)"|<(artwork|sourcecode)[^>]*>([^]*?)<\/\6>/gm
  for (const [, heading, , fenced, name, attribute, , marked] of text.matchAll(parts)) {
    const section = heading ?? name ?? attribute
    if (section !== undefined) title = section.replace(/\{.*?\}/, '').trim()
    const block = fenced ?? marked
    if (block !== undefined) {
      const bare = block.replace(/^\s*<!\[CDATA\[|\]\]>\s*$/g, '')
      yield { title, block: bare.replaceAll('&quot;', '"').replaceAll('&amp;', '&') }
    }
  }
}

/** The JSON of a block, and what stands before it, such as the line of a request. */
function parse(block) {
  const start = block.search(/[{[]/)
  if (start < 0) return undefined
  try {
    return { head: block.slice(0, start), value: JSON.parse(block.slice(start)) }
  } catch {
    return { head: block.slice(0, start) }
  }
}

const methods = {
  POST: schema.readStreamRequest,
  PATCH: schema.readStreamUpdate,
  PUT: schema.readStreamUpdate,
}

/** Reads a value by what it is; undefined where it is a fragment that has no reader. */
function readerOf(head, value) {
  if (Array.isArray(value)) return () => value.forEach((one) => readerOf('', one)?.())
  if (value.events) {
    return () => {
      for (const { type, payload } of strict.read(value).events) {
        if (types.has(type)) schema.checkPayload(types.get(type), payload)
      }
    }
  }
  if (value.format) return () => schema.readSubject(value)
  if (value.issuer) return () => schema.readTransmitterConfiguration(value, value.issuer)
  if (value.stream_id && value.iss) return () => schema.readStreamConfiguration(value, value.iss)
  if (/subjects:add/.test(head)) return () => schema.readAddSubjectRequest(value)
  if (/subjects:remove/.test(head)) return () => schema.readRemoveSubjectRequest(value)
  if (/verify/.test(head)) return () => schema.readVerificationRequest(value)
  if (value.status) return () => schema.readStatusRequest(value)
  const read = methods[/^\s*(POST|PATCH|PUT) /.exec(head)?.[1]]
  return read && (() => read(value))
}

/** What a reader says of a block: undefined where it can be read. */
function mistakeIn({ head, value }) {
  if (value === undefined) return 'not JSON'
  try {
    readerOf(head, value)?.()
  } catch (error) {
    return error.message
  }
}

const [folder] = process.argv.slice(2)
const found = folder === undefined ? [] : await readdir(folder).catch(() => [])
const missing = sources.filter((name) => !found.includes(name))
if (missing.length > 0) {
  console.error(`usage: npm run spec-examples -- <folder with ${missing.join(', ')}>`)
  process.exit(2)
}
let examples = 0
let fragments = 0
const mistakes = new Map()
for (const name of sources) {
  let place = 0
  for (const { title, block } of blocksOf(await readFile(path.join(folder, name), 'utf8'))) {
    const example = parse(block)
    if (!example) continue
    place++
    examples++
    if (example.value && !readerOf(example.head, example.value)) fragments++
    const mistake = mistakeIn(example)
    if (mistake !== undefined) mistakes.set(`${name}, ${title}, ${place}`, mistake)
  }
}
let failed = 0
for (const figure of new Set([...mistakes.keys(), ...knownSlips.keys()])) {
  const isKnown = mistakes.get(figure) === knownSlips.get(figure)
  if (!isKnown) failed++
  console.log(
    `${isKnown ? 'slip  ' : 'FAILED'} ${figure}: ${mistakes.get(figure) ?? 'can be read'}`,
  )
}
const read = examples - fragments - mistakes.size
console.log(
  `${examples} examples: ${read} read, ${mistakes.size - failed} known slips, ${fragments} fragments, ${failed} failed`,
)
process.exitCode = failed > 0 || examples === 0 ? 1 : 0
