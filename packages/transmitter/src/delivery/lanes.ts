import type { OutboxRow } from '../store/transmitter-store.ts'

/** The rows about one principal, oldest first. */
export interface Lane {
  readonly name: string
  readonly rows: OutboxRow[]
  /** How many attempts of the first row have failed. */
  failures: number
}

/** Rows in lanes: one row of a lane is out at a time, and lanes take turns. */
export interface Lanes {
  /** How many rows there are. */
  readonly size: number
  /** Adds a row at the end of its lane. */
  add(row: OutboxRow): void
  /** Takes a lane that is free. It is busy until it is given back. */
  take(): Lane | undefined
  /** Gives a lane back without its first row, which is done. */
  next(lane: Lane): void
  /** Gives a lane back as it is. */
  again(lane: Lane): void
}

/** Makes an empty set of lanes. */
export function createLanes(): Lanes {
  const lanes = new Map<string, Lane>()
  const free: Lane[] = []
  let size = 0
  return {
    get size() {
      return size
    },
    add: (row) => {
      size++
      const known = lanes.get(row.lane)
      if (known) {
        known.rows.push(row)
        return
      }
      const lane: Lane = { name: row.lane, rows: [row], failures: 0 }
      lanes.set(row.lane, lane)
      free.push(lane)
    },
    take: () => free.shift(),
    next: (lane) => {
      size--
      lane.rows.shift()
      lane.failures = 0
      if (lane.rows.length > 0) free.push(lane)
      else lanes.delete(lane.name)
    },
    again: (lane) => void free.push(lane),
  }
}
