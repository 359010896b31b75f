// Times ours and its floor in turn, in one run, and gives medians: machines drift, ratios hold.

/** The median of some numbers. */
export const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The value below which `part` (0 to 1) of some numbers lie. */
export const quantile = (numbers, part) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
}

/** Runs both sides in turn, once to warm up and then `rounds` times. Each returns a number. */
export async function interleave(rounds, ours, floor) {
  const results = { ours: [], floor: [] }
  for (let round = -1; round < rounds; round++) {
    const pair = { ours: await ours(), floor: await floor() }
    if (round < 0) continue
    results.ours.push(pair.ours)
    results.floor.push(pair.floor)
  }
  return { ours: median(results.ours), floor: median(results.floor) }
}

/** Operations per second of `work`, which does `count` of them. */
export async function rate(count, work) {
  const start = performance.now()
  await work()
  return (count * 1000) / (performance.now() - start)
}

/** Calls `work(index)` `count` times, `width` at a time. */
export async function inFlight(count, width, work) {
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await work(next++)
    }),
  )
}
