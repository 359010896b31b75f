import ts from 'typescript'
import { idsIn } from './requirements.mjs'

const skips = new Set(['skip', 'todo'])

/**
 * Finds the IDs in the titles of the tests of one file. Titles alone count: a comment or another
 * string proves nothing, and neither does a test that is skipped.
 *
 * @param {string} file - Its name
 * @param {string} text - Its source
 * @returns ID, line, and whether a test that runs carries it
 */
export function titledIds(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  visit(source, false)
  return found

  /** Whether there is a test in the node that runs. */
  function visit(node, skipped) {
    const call = testCall(node)
    const off = skipped || (call?.skipped ?? false)
    let runs = call !== undefined && call.name !== 'describe' && !off
    ts.forEachChild(node, (child) => {
      runs = visit(child, off) || runs
    })
    if (call)
      for (const id of call.titles.flatMap(idsIn)) found.push({ id, line: lineOf(node), runs })
    return runs
  }

  function lineOf(node) {
    return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
  }
}

/** Reads a call of `it`, `test` or `describe`, also with `.each(table)` and other modifiers. */
function testCall(node) {
  const [title] = ts.isCallExpression(node) ? node.arguments : []
  if (title === undefined) return undefined
  const { name, modifiers, table } = calleeOf(node.expression)
  // The call of `each` gives the table; the call of what it returns gives the title.
  if (!/^[xf]?(?:it|test|describe)$/.test(name) || modifiers.at(-1) === 'each') return undefined
  const text = textOf(title)
  return {
    name: name.replace(/^[xf](?=it|test|describe)/, ''),
    skipped: name.startsWith('x') || modifiers.some((modifier) => skips.has(modifier)),
    titles: [text, ...(table ? rowTitles(text, table) : [])],
  }
}

/** The name at the root of what is called, and the modifiers behind it, the outermost last. */
function calleeOf(node) {
  if (ts.isIdentifier(node)) return { name: node.text, modifiers: [] }
  if (ts.isPropertyAccessExpression(node)) {
    const { name, modifiers, table } = calleeOf(node.expression)
    return { name, modifiers: [...modifiers, node.name.text], table }
  }
  if (ts.isCallExpression(node)) {
    const { name, modifiers } = calleeOf(node.expression)
    return { name, modifiers: [...modifiers, 'called'], table: node.arguments[0] }
  }
  if (ts.isTaggedTemplateExpression(node)) {
    const { name, modifiers } = calleeOf(node.tag)
    return { name, modifiers: [...modifiers, 'called'] }
  }
  return { name: '', modifiers: [] }
}

/** What a title says by itself; what it fills in is left out. */
function textOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    return [node.head, ...node.templateSpans.map(({ literal }) => literal)]
      .map(({ text }) => text)
      .join(' … ')
  }
  if (ts.isBinaryExpression(node)) return textOf(node.left) + textOf(node.right)
  return ''
}

/** First elements of a table's rows, where the title has a place to print them. */
function rowTitles(title, table) {
  const list = bare(table)
  if (!/%[sjop]/.test(title) || !ts.isArrayLiteralExpression(list)) return []
  return list.elements.flatMap((element) => {
    const row = bare(element)
    const first = ts.isArrayLiteralExpression(row) ? row.elements[0] : row
    return first && ts.isStringLiteralLike(first) ? [first.text] : []
  })
}

/** The expression inside parentheses, `as const` and the like. */
function bare(node) {
  return ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node)
    ? bare(node.expression)
    : node
}
