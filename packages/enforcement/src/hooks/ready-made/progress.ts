/** What was done already in earlier attempts at a task. */
export interface Progress {
  /** What was done under a key; to be added to. */
  of(key: string): Set<string>
  /** Forgets a task that is finished. */
  finish(key: string): void
}

/**
 * Makes a memory of what was done. It keeps the tasks that were begun last: one that is forgotten
 * is done again from its beginning.
 */
export function createProgress(tasksKept = 1000): Progress {
  const tasks = new Map<string, Set<string>>()
  return {
    of: (key) => {
      const known = tasks.get(key)
      if (known) return known
      const done = new Set<string>()
      tasks.set(key, done)
      const [oldest] = tasks.keys()
      if (tasks.size > tasksKept && oldest !== undefined) tasks.delete(oldest)
      return done
    },
    finish: (key) => void tasks.delete(key),
  }
}
