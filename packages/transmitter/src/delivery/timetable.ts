import type { Clock } from '@drawbridge/core'

/** Calls functions at their time, with one timer for all of them. */
export interface Timetable {
  /** Calls a function once, at a time in milliseconds since 1970. Another time replaces the first. */
  add(call: () => void, at: number): void
  /** Takes a function off that was not called yet. */
  delete(call: () => void): void
  /** Forgets all of them, for good. */
  stop(): void
}

interface Entry {
  readonly call: () => void
  readonly at: number
}

/**
 * Makes an empty timetable. Thousands of lanes and long polls wait at a time: a timer for each
 * would cost more than what they wait with.
 */
export function createTimetable(clock: Clock): Timetable {
  /** A binary heap. An entry that was replaced or taken off stays in it until it comes up. */
  let heap: Entry[] = []
  const valid = new Map<() => void, Entry>()
  let timer: { readonly at: number; readonly end: AbortController } | undefined
  let isStopped = false

  const disarm = (): void => {
    timer?.end.abort()
    timer = undefined
  }
  const arm = (): void => {
    while (heap[0] && valid.get(heap[0].call) !== heap[0]) pop(heap)
    const at = heap[0]?.at
    if (at === timer?.at) return
    disarm()
    if (at === undefined) return
    const end = new AbortController()
    timer = { at, end }
    void clock.sleep(Math.max(0, at - clock.now()), end.signal).then(() => {
      if (!end.signal.aborted) callDue(at)
    })
  }
  /** What is due when a sleep has ended is decided by the sleep: timers fire early by a little. */
  const callDue = (at: number): void => {
    timer = undefined
    for (let entry = heap[0]; entry && entry.at <= at; entry = heap[0]) {
      pop(heap)
      if (valid.get(entry.call) !== entry) continue
      valid.delete(entry.call)
      entry.call()
    }
    arm()
  }

  return {
    add: (call, at) => {
      if (isStopped) return
      const entry = { call, at }
      valid.set(call, entry)
      push(heap, entry)
      arm()
    },
    delete: (call) => {
      if (!valid.delete(call)) return
      // Long polls leave long before their time: what they leave behind must not add up.
      if (heap.length > 64 && heap.length > valid.size * 2) heap = sorted(valid.values())
      arm()
    },
    stop: () => {
      isStopped = true
      valid.clear()
      heap = []
      disarm()
    },
  }
}

/** A sorted array is a heap. */
const sorted = (entries: Iterable<Entry>): Entry[] =>
  [...entries].toSorted((one, other) => one.at - other.at)

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent]
    if (!above || above.at <= entry.at) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

/** Takes the earliest off. */
function pop(heap: Entry[]): void {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  let index = 0
  for (;;) {
    const left = heap[2 * index + 1]
    const right = heap[2 * index + 2]
    const child = right && left && right.at < left.at ? right : left
    if (!child || child.at >= last.at) break
    heap[index] = child
    index = 2 * index + (child === left ? 1 : 2)
  }
  heap[index] = last
}
