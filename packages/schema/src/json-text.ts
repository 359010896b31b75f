import { SetError } from './errors.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** No object of the specifications is nested deeper than a few levels; recursion elsewhere is safe. */
const deepest = 64

/**
 * Reads JSON text that a peer signed or sent: UTF-8, no member name twice in one object, at most 64
 * levels deep. `JSON.parse` alone keeps the last of two equal names, so that whoever looks at the
 * first sees another subject. Takes linear time.
 *
 * @param input Text, or its UTF-8 bytes
 * @throws SetError `ERR_SET_MALFORMED` (`invalid_request`)
 * @see OpenID SSF 1.0, "Complex Subject Members"; RFC 7519, "JWT Claims"
 */
export function readJson(input: string | Uint8Array): unknown {
  let text: string
  let value: unknown
  try {
    text = typeof input === 'string' ? input : decoder.decode(input)
    value = JSON.parse(text)
  } catch (cause) {
    throw malformed('the text is not JSON in UTF-8', cause)
  }
  // Of two members with one name, only one is left in the value.
  if (namesIn(text) !== membersIn(value, 0)) {
    throw malformed('a member name occurs twice in one object')
  }
  return value
}

/** How many members all objects of a value have together. */
function membersIn(value: unknown, level: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (level === deepest) throw malformed(`the JSON is more than ${deepest} levels deep`)
  const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let count = Array.isArray(value) ? 0 : inside.length
  for (const one of inside) count += membersIn(one, level + 1)
  return count
}

const colon = 0x3a
const backslash = 0x5c
const space = 0x20

/** How many names of members there are in text that is known to be JSON. */
function namesIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = endOfString(text, at)
    // The white space of JSON, and nothing else, is not above the space.
    while (text.charCodeAt(at) <= space) at++
    if (text.charCodeAt(at) === colon) count++
  }
  return count
}

/** The place after the quote that ends a string. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** A quote is part of the string after an odd number of backslashes. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote
  while (text.charCodeAt(at - 1) === backslash) at--
  return (quote - at) % 2 === 1
}

const malformed = (message: string, cause?: unknown): SetError =>
  new SetError('ERR_SET_MALFORMED', 'invalid_request', message, { cause })
