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
  /** Ends, when the tasks that are under way have ended. */
  stop(): Promise<void>
}

const retryInMs = 10_000

/**
 * Does tasks, each at once and then when it says. What a task throws is told, and it is tried again
 * ten seconds later. One that fails, or waits for a store or a signer, holds up no other.
 */
export function startUpkeep(tasks: readonly UpkeepTask[], context: UpkeepContext): Upkeep {
  const stopping = new AbortController()
  const underWay = tasks.map((task) => keepUp(task, context, stopping.signal))
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(underWay)
    },
  }
}

async function keepUp(
  task: UpkeepTask,
  context: UpkeepContext,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = context
  while (!signal.aborted) {
    const next = await runTask(task, context)
    if (next === undefined) return
    await clock.sleep(Math.max(1, next - clock.now()), signal)
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
