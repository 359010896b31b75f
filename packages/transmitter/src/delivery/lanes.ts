import type { OutboxRow } from '../store/transmitter-store.ts'

/** The rows about one principal. */
export interface Lane {
  readonly name: string
  /** Those in memory, oldest first. */
  readonly rows: OutboxRow[]
  /** How many attempts of the first row have failed. */
  failures: number
  /** The number of the attempt that was the latest when the first row failed first. */
  failingSince: number | undefined
  /** From this `seq` on, the rows of the lane that were read are in the store only. */
  rest: number | undefined
}

/** Rows that were read of the store once more, for lanes that have a rest there. */
export interface Reread {
  readonly rows: readonly OutboxRow[]
  /** The `seq`s that were looked at, both included: what is not among `rows` is gone. */
  readonly from: number
  readonly to: number
  /** The last `seq` that was ever read. */
  readonly last: number
}

/** Rows in lanes: one row of a lane is out at a time, and lanes take turns. */
export interface Lanes {
  /** How many rows are in memory, but for those of lanes that are stuck. */
  readonly size: number
  /** How many lanes are stuck: they have failed so often that only their first row is kept here. */
  readonly stuck: number
  /** The lowest `seq` that a lane without rows in memory waits for. */
  readonly hungryFrom: number | undefined
  /** Adds a row that was read for the first time, at the end of its lane. */
  add(row: OutboxRow): void
  /** Adds rows to the lanes that have a rest in the store. */
  refill(reread: Reread): void
  /** Takes a lane that is free. It is busy until it is given back. */
  take(): Lane | undefined
  /** Gives a lane back without its first row, which is done. */
  next(lane: Lane): void
  /** Notes that the first row of a lane has failed. */
  failed(lane: Lane): void
  /** Gives a lane back as it is. */
  again(lane: Lane): void
}

/** Rows of one lane in memory: a lane with very many must not push the others out. */
export const laneRows = 100
const stuckAfter = 3

const emptyLane = (name: string): Lane => ({
  name,
  rows: [],
  failures: 0,
  failingSince: undefined,
  rest: undefined,
})

/**
 * Makes an empty set of lanes. Announcements are a lane of their own, which goes before all others.
 *
 * @param patience How many failed attempts of an announcement hold the other lanes back
 */
export function createLanes(patience: number): Lanes {
  const lanes = new Map<string, Lane>()
  const announcements = emptyLane('')
  let announcementsAreFree = false
  const free: Lane[] = []
  /** Lanes with a rest in the store, and those of them that have no row in memory. */
  const cut = new Set<Lane>()
  const hungry = new Set<Lane>()
  let size = 0
  let stuck = 0

  const isStuck = ({ failures }: Lane): boolean => failures >= stuckAfter
  const holdsBack = (): boolean =>
    announcements.rows.length > 0 && announcements.failures < patience
  const giveBack = (lane: Lane): void => {
    if (lane === announcements && holdsBack()) announcementsAreFree = true
    else if (lane.rows.length > 0) free.push(lane)
    else if (lane.rest !== undefined) hungry.add(lane)
    else lanes.delete(lane.name)
  }
  const cutAt = (lane: Lane, seq: number): void => {
    lane.rest = seq
    cut.add(lane)
  }
  const laneOf = (name: string): Lane => {
    const lane = lanes.get(name) ?? emptyLane(name)
    lanes.set(name, lane)
    return lane
  }
  const append = (lane: Lane, row: OutboxRow): void => {
    lane.rows.push(row)
    if (!isStuck(lane)) size++
  }
  /** The rest of a lane lies before or after what was read: it cannot be continued from there. */
  const isIn = (lane: Lane, { from, to }: Reread): boolean =>
    lane.rest !== undefined && lane.rest >= from && lane.rest <= to
  const hasRoom = (lane: Lane): boolean => lane.rows.length < (isStuck(lane) ? 1 : laneRows)

  return {
    get size() {
      return size
    },
    get stuck() {
      return stuck
    },
    get hungryFrom() {
      if (hungry.size === 0) return undefined
      return Math.min(...Array.from(hungry, ({ rest }) => rest ?? 0))
    },
    add: (row) => {
      if (row.kind === 'announcement') {
        announcements.rows.push(row)
        if (announcements.rows.length === 1) announcementsAreFree = true
        return
      }
      const isNew = !lanes.has(row.lane)
      const lane = laneOf(row.lane)
      if (lane.rest !== undefined) return
      if (hasRoom(lane)) append(lane, row)
      else cutAt(lane, row.seq)
      if (isNew) free.push(lane)
    },
    refill: (reread) => {
      const open = new Set([...cut].filter((lane) => isIn(lane, reread)))
      const waiting = [...open].filter((lane) => hungry.delete(lane))
      for (const row of reread.rows) {
        const lane = lanes.get(row.lane)
        if (!lane || !open.has(lane) || row.seq < (lane.rest ?? 0)) continue
        if (hasRoom(lane)) append(lane, row)
        else {
          open.delete(lane)
          cutAt(lane, row.seq)
        }
      }
      for (const lane of open) {
        lane.rest = reread.to < reread.last ? reread.to + 1 : undefined
        if (lane.rest === undefined) cut.delete(lane)
      }
      for (const lane of waiting) giveBack(lane)
    },
    take: () => {
      if (!holdsBack()) return free.shift()
      const isFree = announcementsAreFree
      announcementsAreFree = false
      return isFree ? announcements : undefined
    },
    next: (lane) => {
      if (lane !== announcements) {
        if (isStuck(lane)) stuck--
        else size--
      }
      lane.rows.shift()
      lane.failures = 0
      lane.failingSince = undefined
      giveBack(lane)
    },
    failed: (lane) => {
      if (++lane.failures !== stuckAfter || lane === announcements) return
      stuck++
      size -= lane.rows.length
      const [second] = lane.rows.splice(1)
      if (second) cutAt(lane, second.seq)
    },
    again: giveBack,
  }
}
