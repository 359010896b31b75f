/** Tells whether a value is a JSON object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Tells whether a value is an array of strings, each non-empty. */
export const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')

type Piece = { readonly text: string } | { readonly value: unknown }

/**
 * The JSON text of a value with the members of every object in order: equal values, equal texts.
 * Peers choose how deep a value is nested, so that the depth costs memory and never the call
 * stack.
 */
export function canonicalJson(value: unknown): string {
  let text = ''
  const pieces: Piece[] = [{ value }]
  for (let piece = pieces.pop(); piece; piece = pieces.pop()) {
    if ('text' in piece) text += piece.text
    else text += open(piece.value, pieces)
  }
  return text
}

/** Returns how the text of a value begins, and leaves what follows on the stack. */
function open(value: unknown, pieces: Piece[]): string {
  if (Array.isArray(value)) {
    pieces.push({ text: ']' })
    for (let index = value.length - 1; index >= 0; index--) {
      pieces.push({ value: value[index] as unknown })
      if (index > 0) pieces.push({ text: ',' })
    }
    return '['
  }
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const names = Object.keys(value).filter((name) => value[name] !== undefined)
  pieces.push({ text: '}' })
  for (const [index, name] of names.toSorted().toReversed().entries()) {
    pieces.push({ value: value[name] }, { text: `${JSON.stringify(name)}:` })
    if (index < names.length - 1) pieces.push({ text: ',' })
  }
  return '{'
}
