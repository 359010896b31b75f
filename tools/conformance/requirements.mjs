/**
 * Reads the tables of docs/requirements.md.
 *
 * @param {string} text - The page
 * @returns Its sections that have a table: title and rows, in their order. Rows of gaps have no
 *   level.
 */
export function readRequirements(text) {
  const sections = []
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) sections.push({ title: line.slice(3), rows: [] })
    const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim())
    if (idsIn(cells[0]).length === 0 || !line.startsWith('| ')) continue
    sections.at(-1).rows.push(rowOf(cells))
  }
  return sections.filter(({ rows }) => rows.length > 0)
}

function rowOf(cells) {
  if (cells[0].startsWith('GAP-')) return { id: cells[0] }
  const [id, , who, level, requirement] = cells
  return { id, who, level, requirement }
}

/** Everything in a text that is meant as an ID, whether or not there is such a row. */
export const idsIn = (text) => text.match(/\b[A-Z]+(?:26)?-\d+(?:[.-]\d+)*/g) ?? []
