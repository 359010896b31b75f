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
  checkMembers(text)
  return value
}

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Walks over text that is known to be JSON. */
function checkMembers(text: string): void {
  // One place for each object or array that is open; the names seen so far for an object.
  const open: (Set<string> | undefined)[] = []
  let names: Set<string> | undefined
  let atName = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case quote: {
        const end = endOfString(text, at)
        if (atName && names) addName(names, text.slice(at, end))
        atName = false
        at = end - 1
        break
      }
      case comma:
        atName = names !== undefined
        break
      case openBrace:
      case openBracket:
        if (open.length === deepest) throw malformed(`the JSON is more than ${deepest} levels deep`)
        atName = text.charCodeAt(at) === openBrace
        names = atName ? new Set() : undefined
        open.push(names)
        break
      case closeBrace:
      case closeBracket:
        open.pop()
        names = open.at(-1)
        atName = false
        break
    }
  }
}

/** The place after the quote that ends a string. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(at)) {
    at += code === backslash ? 2 : 1
  }
  return at + 1
}

function addName(names: Set<string>, quoted: string): void {
  // Two spellings of one name are one name.
  const name = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (names.has(name)) throw malformed('a member name occurs twice in one object')
  names.add(name)
}

const malformed = (message: string, cause?: unknown): SetError =>
  new SetError('ERR_SET_MALFORMED', 'invalid_request', message, { cause })
