// Reads the JSON Schemas in events/ and says what the generator has to know of each.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** The kinds of Subject Principal that `x-subjects` may name. */
const principals = new Set([
  'user',
  'device',
  'session',
  'application',
  'tenant',
  'org_unit',
  'group',
  'stream',
  'resource',
])

/** Names a family as its types do. */
export const familyNames = { caep: 'Caep', oauth: 'Oauth', risc: 'Risc', scim: 'Scim', ssf: 'Ssf' }

/** Reads every schema: the event types by family and name, and the definitions that they share. */
export async function readSchemas(folder) {
  const definitions = {}
  const events = []
  for (const family of (await readdir(folder)).toSorted()) {
    for (const file of (await readdir(path.join(folder, family))).toSorted()) {
      const schema = JSON.parse(await readFile(path.join(folder, family, file), 'utf8'))
      if (schema.$defs) definitions[schema.$id] = schema
      else events.push({ family, name: file.replace('.json', ''), schema })
    }
  }
  for (const event of events) {
    Object.assign(event, described(event, definitions), separated(event, definitions))
  }
  return { definitions, events }
}

function described({ family, name, schema }, definitions) {
  const subjects = schema['x-subjects'] ?? []
  if (subjects.length === 0 || subjects.some((kind) => !principals.has(kind))) {
    throw new Error(`events/${family}/${name}.json: "x-subjects" names no Subject Principal`)
  }
  // The schema `false` describes no member: it says which one may not be there.
  const members = Object.entries(schema.properties)
    .filter(([, raw]) => raw !== false)
    .map(([member, raw]) => ({
      member,
      raw: resolve(raw, definitions),
      required: schema.required?.includes(member) ?? false,
    }))
  const absent = Object.keys(schema.properties).filter(
    (member) => schema.properties[member] === false,
  )
  const formats = schema['x-subject-formats']
  return { subjects: { principals: subjects, ...(formats && { formats }) }, members, absent }
}

/**
 * Separates the members that every event of a family may have from those of the type, so that one
 * validator of them serves the family: the "properties" of its definitions.
 */
function separated({ family, schema }, definitions) {
  const common = Object.values(definitions).find(
    ({ $id, properties }) => properties && $id.endsWith(`/${family}/common`),
  )
  const shared = (raw) => typeof raw.$ref === 'string' && raw.$ref.startsWith(`${common.$id}#`)
  const own = Object.entries(schema.properties).filter(
    ([member, raw]) => !(common && member in common.properties && shared(raw)),
  )
  const others = Object.keys(schema.properties).length - own.length
  if (!common || others < Object.keys(common.properties).length) return { own: schema }
  return { own: { ...schema, properties: Object.fromEntries(own) }, common }
}

/** What stands beside a `$ref` goes before what it refers to. */
function resolve({ $ref, ...own }, definitions) {
  if (!$ref) return own
  const [id, pointer] = $ref.split('#/$defs/')
  return { ...definitions[id].$defs[pointer], ...own }
}
