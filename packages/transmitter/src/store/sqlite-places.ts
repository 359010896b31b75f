import type { Statements } from './sqlite-statements.ts'

/** Where a stream is in the file. */
export interface StreamPlace {
  readonly id: number
  readonly isDisabled: boolean
}

/** The places of the streams of one issuer: `append` looks here and not in the file. */
export interface StreamPlaces {
  find(streamId: string): StreamPlace | undefined
  /** Does work that makes a stream, deletes it, or changes its status. */
  whileChanging<Result>(streamId: string, work: () => Promise<Result>): Promise<Result>
}

/**
 * Remembers the places of streams. What is remembered is never ahead of the file: a stream that a
 * commit under way may change is looked up every time, as that commit may be undone.
 */
export function createStreamPlaces(sql: Statements, issuer: number): StreamPlaces {
  const known = new Map<string, StreamPlace>()
  const changing = new Map<string, number>()
  return {
    find: (streamId) => {
      const place = known.get(streamId)
      if (place) return place
      const [row] = sql.findStream.all(issuer, streamId) as { id: number; status: string }[]
      if (!row) return undefined
      const found = { id: row.id, isDisabled: row.status === 'disabled' }
      if (!changing.has(streamId)) known.set(streamId, found)
      return found
    },
    whileChanging: async (streamId, work) => {
      changing.set(streamId, (changing.get(streamId) ?? 0) + 1)
      known.delete(streamId)
      try {
        return await work()
      } finally {
        const others = (changing.get(streamId) ?? 1) - 1
        if (others > 0) changing.set(streamId, others)
        else changing.delete(streamId)
      }
    },
  }
}
