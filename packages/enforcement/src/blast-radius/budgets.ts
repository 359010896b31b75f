import { laneKey } from '@drawbridge/schema'
import { isTenantWide, type Authority } from '../authority/authority.ts'
import { decisionsIn } from '../hooks/hooks.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Budget } from './budget.ts'

/** Counts what Transmitters end, for their budgets. */
export interface Budgets {
  /** An entry counts: one that this node wrote, another one, or an earlier run of it. */
  saw(entry: LedgerEntry): void
  /** Whether an entry ends sessions of a Transmitter that has a budget. */
  isCounted(entry: LedgerEntry): boolean
  /** Whether an entry that is counted would be above the budget. */
  isAbove(entry: LedgerEntry): boolean
  /** Forgets everything. */
  clear(): void
}

/** What counting needs. */
export interface BudgetSettings {
  readonly authority: Authority
  /** The budget of a Transmitter, where it has one. */
  budgetOf(iss: string): Budget | undefined
  /** NumericDate, seconds. */
  now(): number
}

/**
 * Makes the count. It is kept in no place of its own: it follows from the entries of the ledger, so
 * that a restart, or another node, comes to the same.
 */
export function createBudgets({ authority, budgetOf, now }: BudgetSettings): Budgets {
  /** By Transmitter: when each principal was met last, the oldest first. */
  const windows = new Map<string, Map<string, number>>()

  const isCounted = (entry: LedgerEntry): boolean => {
    const { iss } = entry.cause
    if (entry.lifted || entry.observed || !budgetOf(iss)) return false
    const { isObserved, hardest } = authority.limits(iss)
    return !isObserved && hardest === 'terminate' && endsSessions(entry)
  }

  return {
    isCounted,
    saw: (entry) => {
      if (entry.held !== undefined || !isCounted(entry)) return
      const { iss, iat } = entry.cause
      const window = windows.get(iss) ?? new Map<string, number>()
      windows.set(iss, window)
      const principal = laneKey(entry.on)
      // To the end of the order.
      window.delete(principal)
      window.set(principal, entry.recorded ?? iat)
    },
    isAbove: ({ on, cause }) => {
      // Nobody can say how many those are.
      if (isTenantWide(on)) return true
      const budget = budgetOf(cause.iss)
      const window = windows.get(cause.iss)
      if (!budget || !window) return false
      for (const [principal, at] of window) {
        if (at > now() - budget.perSeconds) break
        window.delete(principal)
      }
      return !window.has(laneKey(on)) && window.size >= limitOf(budget)
    },
    clear: () => windows.clear(),
  }
}

/** Whether it ends sessions at once, or when the time for a new authentication is over. */
const endsSessions = (entry: LedgerEntry): boolean =>
  decisionsIn(entry).some(
    ({ effect, terms }) =>
      effect === 'terminate' || (effect === 'reauthenticate' && terms?.graceSeconds !== undefined),
  )

function limitOf({ principals, share, population }: Budget): number {
  const all = share === undefined || !population ? Infinity : counted(population)
  return Math.min(principals, Math.max(1, Math.floor(all * (share ?? 1))))
}

function counted(population: () => number): number {
  try {
    const count: unknown = population()
    return typeof count === 'number' && count >= 0 ? count : Infinity
  } catch {
    return Infinity
  }
}
