import { StorageError } from '@drawbridge/schema'

/** What is done at the start and at the end. */
export interface LifecycleSteps {
  open(): Promise<void>
  close(): Promise<void>
}

/** Keeps start, stop and the work between them apart. */
export interface Lifecycle {
  /** Idempotent; after a failure or a stop it can be called again. */
  start(): Promise<void>
  /** Takes no more work, waits for what was begun, closes. Idempotent. */
  stop(): Promise<void>
  /**
   * Does some work once the start is over.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when nothing was started
   */
  run<Result>(work: () => Promise<Result>): Promise<Result>
}

/** Makes a lifecycle. */
export function createLifecycle({ open, close }: LifecycleSteps): Lifecycle {
  let started: Promise<void> | undefined
  let stopped: Promise<void> = Promise.resolve()
  const running = new Set<Promise<unknown>>()

  const start = (): Promise<void> => {
    if (started) return started
    const starting = stopped
      .catch(() => undefined)
      .then(open)
      .catch((error: unknown) => {
        if (started === starting) started = undefined
        throw error
      })
    started = starting
    return starting
  }

  const stop = (): Promise<void> => {
    const finish = async (): Promise<void> => {
      await Promise.allSettled(running)
      await close()
    }
    // A start that failed has nothing to close.
    if (started) stopped = started.then(finish, () => undefined)
    started = undefined
    return stopped
  }

  const run = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (!started) {
      throw new StorageError(
        'ERR_STORAGE_UNAVAILABLE',
        'the enforcement is not started: call "start()" first',
      )
    }
    const job = started.then(work)
    running.add(job)
    try {
      return await job
    } finally {
      running.delete(job)
    }
  }

  return { start, stop, run }
}
