/** Calls `work` when first needed and keeps its result; a failure is not kept. */
export function memoUntilFailure<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined
  return () => {
    result ??= work().catch((error: unknown) => {
      result = undefined
      throw error
    })
    return result
  }
}
