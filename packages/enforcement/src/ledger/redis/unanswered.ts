import type { Written } from '../ledger.ts'

/**
 * Remembers the writes that failed with nobody to say whether they were carried out. When one is
 * repeated and stands already, it was this node that changed the ledger, and it has to say so: what
 * the application does about the change would not be done otherwise.
 */
export interface Unanswered {
  /** Waits for a write; remembers, when it fails, what it would have done. */
  during<Result>(text: string, written: Written, work: Promise<Result>): Promise<Result>
  /** What a write without an answer would have done, if it was one. Answers once. */
  take(text: string): Written | undefined
}

/** So many are remembered, the newest ones: a store that is away must not fill the memory. */
const most = 10_000

/** Makes an empty memory of writes without an answer. */
export function createUnanswered(): Unanswered {
  const open = new Map<string, Written>()
  return {
    during: async (text, written, work) => {
      try {
        return await work
      } catch (error) {
        // A repetition begins anew and does not know yet what stands.
        if (written.before || !open.has(text)) open.set(text, written)
        const [oldest] = open.keys()
        if (open.size > most && oldest !== undefined) open.delete(oldest)
        throw error
      }
    },
    take: (text) => {
      const written = open.get(text)
      open.delete(text)
      return written
    },
  }
}
