import { isObject, SetError } from '@drawbridge/schema'

/**
 * What a request says of the attribute `active` of a user: a value, that it has none, or not a
 * word.
 */
export type Active = boolean | 'unassigned' | 'unsaid'

type Attributes = Readonly<Record<string, unknown>>

/** Attribute names and URNs are compared without regard to case (RFC 7643, "Attributes"). */
const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:user'

/**
 * Reads what a PATCH leaves `active` at: the last operation on it counts. Entra ID writes `Replace`
 * and `"False"`, unless the tenant URL has its flag `aadOptscim062020`; Okta leaves out the path.
 *
 * @throws SetError `ERR_SET_CLAIM` that names the member
 * @see RFC 7644, "Modifying with PATCH"
 */
export function activeInPatch(body: unknown): Active {
  const operations = isObject(body) ? memberOf(body, 'operations', 'body') : undefined
  if (!Array.isArray(operations) || operations.length === 0) {
    throw invalid('"Operations" must be an array of one or more operations')
  }
  let last: Active = 'unsaid'
  for (const [place, operation] of operations.entries()) {
    const said = activeInOperation(operation, `Operations[${place}]`)
    if (said !== 'unsaid') last = said
  }
  return last
}

/**
 * Reads `active` of a resource that is created or replaced.
 *
 * @throws SetError `ERR_SET_CLAIM` that names the member
 * @see RFC 7644, "Replacing with PUT"
 */
export function activeInResource(body: unknown): Active {
  if (!isObject(body)) throw invalid('the body must be a SCIM resource, a JSON object')
  const said = activeIn(body, 'body')
  // What a body parser did not take for JSON is `{}` as well, and must not pass for silence.
  if (said === 'unsaid' && memberOf(body, 'schemas', 'body') === undefined) {
    throw invalid('"schemas" must be there: the body is no SCIM resource')
  }
  return said
}

const kinds: readonly unknown[] = ['add', 'replace', 'remove']

function activeInOperation(operation: unknown, name: string): Active {
  if (!isObject(operation)) throw invalid(`"${name}" must be an object`)
  const given = memberOf(operation, 'op', name)
  const op = typeof given === 'string' ? given.toLowerCase() : given
  if (!kinds.includes(op)) throw invalid(`"${name}.op" must be add, replace or remove`)
  const path = memberOf(operation, 'path', name) ?? ''
  if (typeof path !== 'string') throw invalid(`"${name}.path" must be a text`)
  const value = memberOf(operation, 'value', name)
  const attribute = attributeAt(path)
  if (attribute === 'active')
    return op === 'remove' ? 'unassigned' : activeOf(value, `${name}.value`)
  if (attribute !== '') return 'unsaid'
  if (op === 'remove') throw invalid(`"${name}.path" must say what is removed`)
  if (!isObject(value))
    throw invalid(`"${name}.value" must be an object where "path" names nothing`)
  return activeIn(value, `${name}.value`)
}

/** The attribute of a user that a path names; nothing where it names the user. */
function attributeAt(path: string): string {
  const lower = path.toLowerCase()
  if (lower === userSchema) return ''
  return lower.startsWith(`${userSchema}:`) ? lower.slice(userSchema.length + 1) : lower
}

function activeIn(attributes: Attributes, name: string): Active {
  const said = Object.entries(attributes).flatMap(([member, value]): Active[] => {
    const attribute = attributeAt(member)
    if (attribute === 'active') return [activeOf(value, `${name}.active`)]
    return attribute === '' && isObject(value) ? [activeIn(value, name)] : []
  })
  const [first = 'unsaid', ...others] = said.filter((one) => one !== 'unsaid')
  if (others.length > 0) throw invalid(`"${name}.active" must be there once`)
  return first
}

function activeOf(value: unknown, name: string): Active {
  if (typeof value === 'boolean') return value
  if (value === null) return 'unassigned'
  const text = typeof value === 'string' ? value.toLowerCase() : undefined
  if (text !== 'true' && text !== 'false') throw invalid(`"${name}" must be true or false`)
  return text === 'true'
}

/** Two members that differ in case alone have one name, and nobody knows which one is meant. */
function memberOf(object: Attributes, name: string, place: string): unknown {
  const found = Object.entries(object).filter(([member]) => member.toLowerCase() === name)
  if (found.length > 1) throw invalid(`"${place}" must have "${name}" once`)
  return found[0]?.[1]
}

const invalid = (message: string): SetError =>
  new SetError('ERR_SET_CLAIM', 'invalid_request', message)
