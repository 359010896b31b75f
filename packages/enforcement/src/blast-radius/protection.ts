import { isComplex, matches, type Subject } from '@drawbridge/schema'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import { decisionsIn, type DueHook } from '../hooks/hooks.ts'

/** The break-glass accounts: nobody's signal takes more from them than a new authentication. */
export interface Protection {
  /** Whether there are any. */
  readonly isEmpty: boolean
  /** Whether a session's subject, or a signal's, is of one of them. */
  covers(subject: Subject): boolean
  /** Whether an entry is about one of them, alone or among others. */
  names(entry: LedgerEntry): boolean
  /** What is left of a hook that is due; undefined where that is nothing. */
  hookFor(due: DueHook): DueHook | undefined
}

/** Makes the judgement of who is protected. */
export function createProtection(accounts: readonly Subject[]): Protection {
  const covers = (subject: Subject): boolean => accounts.some((one) => isOf(one, subject))
  return {
    isEmpty: accounts.length === 0,
    covers,
    names: ({ on, also = [] }) =>
      [on, ...also].some((one) => {
        return covers(one) || accounts.some((account) => matches(one, account, 'session'))
      }),
    hookFor: (due) => {
      const { entry, name } = due
      if (!covers(entry.on) || name === 'restore') return due
      // What is not asked for by a login would lock the account out: a credential made useless, too.
      if (name === 'rotate') return undefined
      if (name === 'shorten' || name === 'reauthenticate') return due
      const { kinds } = due
      return { name: 'reauthenticate', entry, effect: 'reauthenticate', ...(kinds && { kinds }) }
    },
  }
}

/** A simple subject is a user, or all that a session is known by; it is no tenant and no device. */
const isOf = (account: Subject, subject: Subject): boolean =>
  matches(account, subject, isComplex(account) ? 'session' : 'stream')

/** Whether an entry does anything that a protected account is kept from. */
export const isSoftened = (entry: LedgerEntry): boolean =>
  decisionsIn(entry).some(({ effect }) => effect !== 'reauthenticate')
