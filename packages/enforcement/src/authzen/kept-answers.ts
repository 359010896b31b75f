import type { Clock } from '@drawbridge/core'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { DecisionAnswer } from './answer.ts'

/** What the ledger says of a session: the same entries while no signal has changed them. */
export type Standing = readonly LedgerEntry[]

/** Answers that are under way, and permits that may be given again. */
export interface KeptAnswers {
  /** The answer to a text, asked or given while the ledger said the same. */
  find(text: string, standing: Standing | undefined): Promise<DecisionAnswer> | undefined
  /** Puts an answer there that is on its way. */
  put(
    text: string,
    standing: Standing | undefined,
    answer: Promise<DecisionAnswer>,
  ): Promise<DecisionAnswer>
  /** Forgets all. */
  clear(): void
}

interface Kept {
  readonly standing: Standing | undefined
  readonly answer: Promise<DecisionAnswer>
  /** Milliseconds since 1970; infinite while it is under way. */
  until: number
}

/** More answers than this are not kept: the oldest go. */
const mostKept = 10_000

/**
 * Makes the memory of answers. A refusal is given to those who wait for it and not kept, for it
 * denies one request; a failure neither, for nothing was decided.
 *
 * @param cacheMs From the moment it was asked, in milliseconds
 */
export function createKeptAnswers(cacheMs: number, clock: Pick<Clock, 'now'>): KeptAnswers {
  const kept = new Map<string, Kept>()

  const settle = (text: string, item: Kept, answer: DecisionAnswer, until: number): void => {
    if (kept.get(text) !== item) return
    const isToKeep = item.standing !== undefined && answer.decision && !answer.failure
    if (isToKeep && until > clock.now()) item.until = until
    else kept.delete(text)
  }

  return {
    find: (text, standing) => {
      const item = kept.get(text)
      if (!item || !isSame(item.standing, standing)) return undefined
      return item.until > clock.now() ? item.answer : undefined
    },
    put: (text, standing, answer) => {
      const item = { standing, answer, until: Infinity }
      const until = clock.now() + cacheMs
      // Last in order, so that the first is the oldest.
      kept.delete(text)
      kept.set(text, item)
      for (const oldest of kept.keys()) {
        if (kept.size <= mostKept) break
        kept.delete(oldest)
      }
      return answer.then((given) => {
        settle(text, item, given, until)
        return given
      })
    },
    clear: () => kept.clear(),
  }
}

function isSame(one: Standing | undefined, other: Standing | undefined): boolean {
  if (!one || !other) return one === other
  return one.length === other.length && one.every((entry, place) => entry === other[place])
}
