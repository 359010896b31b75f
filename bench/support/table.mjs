const number = (value) =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString()

/** Prints the head of the table. */
export function printHead() {
  printLine(['row', 'ours', 'floor', 'ratio', 'goal', ''])
}

/** Prints one row: what was measured, both sides, their ratio, and what the ratio should be. */
export function printRow({ name, unit, ours, floor, goal }) {
  const ratio = ours / floor
  const better = goal.startsWith('≥')
    ? ratio >= Number(goal.slice(1))
    : ratio <= Number(goal.slice(1))
  printLine([
    name,
    `${number(ours)} ${unit}`,
    `${number(floor)} ${unit}`,
    ratio.toFixed(2),
    goal,
    better ? '' : 'behind',
  ])
}

function printLine([name, ours, floor, ratio, goal, note]) {
  console.log(
    `${name.padEnd(52)} ${ours.padStart(16)} ${floor.padStart(16)} ${ratio.padStart(7)}  ${goal.padEnd(6)} ${note}`.trimEnd(),
  )
}
