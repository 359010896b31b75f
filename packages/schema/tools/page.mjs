// Writes docs/event-types.md.
import { build } from 'esbuild'
import path from 'node:path'
import { typeOf } from './modules.mjs'

/** Loads the table of what events mean for access out of the source. */
export async function readMeanings(root) {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, 'src', 'access-meaning.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  })
  const url = `data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`
  return (await import(url)).accessMeanings
}

const code = (text) => `\`${text}\``
const headings = {
  caep: 'CAEP: `@drawbridge/schema/caep`',
  oauth: 'OAuth: `@drawbridge/schema/oauth`',
  risc: 'RISC: `@drawbridge/schema/risc`',
  scim: 'SCIM: `@drawbridge/schema/scim`',
  ssf: 'SSF: `@drawbridge/schema/ssf`',
}

/** The page of all event types. */
export function pageOf(families, events, meanings) {
  const sections = families.map((family) => {
    const own = events.filter((event) => event.family === family)
    return `\n## ${headings[family]}\n${own.map((event) => sectionOf(event, meanings)).join('')}`
  })
  return `# Event types

Generated from the JSON Schemas in \`packages/schema/events\` and from the table \`accessMeanings\`. Do not edit.

What an event means for access: a \`cut\` reaches what began before, a \`condition\` reaches everything that matches until it is lifted, and a \`lift\` takes a condition back; one that is final no event takes back. What happens to the sessions is what your policy says.
${sections.join('')}`
}

function sectionOf({ schema, subjects, members, absent }, meanings) {
  const { principals, formats } = subjects
  const rows = [
    ...(schema.deprecated ? [`**Deprecated**: send ${schema['x-instead']} in its place`] : []),
    `URI: ${code(schema.$id)}`,
    `About: ${principals.map(code).join(', ')}${formats ? `; subject in format ${formats.map(code).join(' or ')}` : ''}`,
    `Access: ${accessOf(meanings.get(schema.$id))}`,
    ...absent.map((member) => `Must not have: ${code(member)}`),
    `Source: ${schema.$comment}`,
  ]
  return `
### ${schema.title}

${schema.description}

${rows.map((row) => `- ${row}`).join('\n')}

${members.length > 0 ? tableOf(members) : 'It has no members of its own.'}
`
}

function tableOf(members) {
  const rows = members.map(({ member, raw, required }) => {
    const types = typeOf(raw).split(' | ').map(typeName).join(' or ')
    return `| ${code(member)} | ${types} | ${required ? 'required' : 'optional'} | ${raw.description} |`
  })
  return `| Member | Type | | Meaning |\n|---|---|---|---|\n${rows.join('\n')}`
}

const typeName = (type) => (type === '(string & {})' ? 'any other' : code(type))

function accessOf(row) {
  const { decision, cause, causeMember, endsSessions, endsGrants, isFinal, lifts, reason } = row
  if (decision === 'nothing') return `nothing. ${reason}`
  const name = code(causeMember ? `${cause}:{${causeMember}}` : cause)
  const ends = endsSessions ? `, ends sessions${endsGrants ? ' and grants' : ''}` : ''
  const final = isFinal ? ', final' : ''
  const also = lifts ? `; lifts ${lifts.map(code).join(' and ')} besides` : ''
  return `${decisionOf(decision)}, cause ${name}${ends}${final}${also}. ${reason}`
}

function decisionOf(decision) {
  if (typeof decision === 'string') return code(decision)
  const { member, values, otherwise } = decision
  const cases = Object.entries(values).map(
    ([value, then]) => `${code(then)} where it is ${code(value)}`,
  )
  return `by ${code(member)}: ${cases.join(', ')}, otherwise ${code(otherwise)}`
}
