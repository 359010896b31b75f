import type { Clock } from '@drawbridge/core'

/** Something that has to be done now and then. */
export interface UpkeepTask {
  readonly name: string
  /**
   * Does it.
   *
   * @param now Milliseconds since 1970
   * @returns When to come again, in milliseconds since 1970; undefined: never
   */
  readonly run: (now: number) => Promise<number | undefined>
}

/** A task that failed. */
export interface UpkeepFailure {
  readonly task: string
  readonly cause: unknown
  readonly retryInMs: number
}

/** What {@link startUpkeep} needs. */
export interface UpkeepContext {
  readonly clock: Clock
  readonly failed: (failure: UpkeepFailure) => void
}

/** Tasks that are done, each at its time, until it is stopped. */
export interface Upkeep {
  /** Ends, when the task that is under way has ended. */
  stop(): Promise<void>
}

const retryInMs = 10_000

/**
 * Does tasks one after the other, each at once and then when it says, with one timer for all. What
 * a task throws is told, and it is tried again ten seconds later; the others are not concerned.
 */
export function startUpkeep(tasks: readonly UpkeepTask[], context: UpkeepContext): Upkeep {
  const { clock } = context
  const stopping = new AbortController()
  const { signal } = stopping
  const dueAt = new Map(tasks.map((task) => [task, clock.now()]))
  const runDue = async (): Promise<void> => {
    const now = clock.now()
    for (const [task, at] of dueAt) {
      if (at > now || signal.aborted) continue
      const next = await runTask(task, context)
      if (next === undefined) dueAt.delete(task)
      else dueAt.set(task, next)
    }
  }
  const next = (): void => {
    underWay = undefined
    if (signal.aborted || dueAt.size === 0) return
    const waitMs = Math.max(1, Math.min(...dueAt.values()) - clock.now())
    void clock.sleep(waitMs, signal).then(begin)
  }
  const begin = (): void => {
    if (!signal.aborted) underWay = runDue().then(next)
  }
  let underWay: Promise<void> | undefined
  begin()
  return {
    stop: async () => {
      stopping.abort()
      await underWay
    },
  }
}

async function runTask(
  { name, run }: UpkeepTask,
  { clock, failed }: UpkeepContext,
): Promise<number | undefined> {
  try {
    return await run(clock.now())
  } catch (cause) {
    failed({ task: name, cause, retryInMs })
    return clock.now() + retryInMs
  }
}
