/** How {@link forEach} goes about it. */
export interface ForEachContext {
  /** When it aborts, nothing more is begun. */
  readonly signal: AbortSignal
  /** What is said of those that failed: `tokens were not revoked`. */
  readonly failed: string
}

const atOnce = 8
const errorsKept = 10

/**
 * Does the same with each of several: a few at once, and with all of them, whatever fails.
 *
 * @throws AggregateError with the first ten errors; its `retryAfterMs` is the longest of theirs
 */
export async function forEach<Item>(
  items: Iterable<Item>,
  { signal, failed }: ForEachContext,
  work: (item: Item) => unknown,
): Promise<void> {
  const all = [...items]
  const rest = all.values()
  const errors: unknown[] = []
  let failures = 0
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      if (signal.aborted) return
      try {
        await work(item)
      } catch (error) {
        failures++
        if (errors.length < errorsKept) errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker))
  signal.throwIfAborted()
  if (failures === 0) return
  const error = new AggregateError(errors, `${failures} of ${all.length} ${failed}`)
  const waits = errors.flatMap(waitOf)
  throw waits.length === 0 ? error : Object.assign(error, { retryAfterMs: Math.max(...waits) })
}

function waitOf(error: unknown): readonly number[] {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? [retryAfterMs] : []
}
