import { accessMeaning, type SecurityEvent } from '@drawbridge/schema'
import type { Effect } from '../effect.ts'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Policy } from './policy.ts'

/** What turns an event into entries. */
export interface Judgement {
  readonly policy: Policy
  /** NumericDate, seconds: when the event was received. */
  readonly received: number
  /** How long a session can live at most, in seconds: so long a cut is remembered. */
  readonly longestSessionSeconds: number
}

/**
 * Judges an event by a policy. Pure.
 *
 * @returns The entries for the ledger: its own, and a lift for each other cause that it takes away.
 *   None when the event takes and lifts nothing, or is of a type that has no rule or that nobody
 *   knows
 */
export function entriesOf(event: SecurityEvent, judgement: Judgement): readonly LedgerEntry[] {
  const { lifts } = accessMeaning(event)
  const own = ownEntry(event, judgement)
  // Remembered no longer than a cut: what they lift is gone with the first write.
  const lifted = lifts.map((cause): LedgerEntry => {
    return { ...entry(event, cause, 'suspend'), lifted: true, expires: expiry(event, judgement) }
  })
  return own ? [own, ...lifted] : lifted
}

function ownEntry(event: SecurityEvent, judgement: Judgement): LedgerEntry | undefined {
  const { decision, cause } = accessMeaning(event)
  const { policy } = judgement
  const effect = policy.ruleFor(event)?.effect
  switch (decision) {
    case 'nothing':
      return undefined
    case 'cut':
      return (
        effect && {
          ...entry(event, cause, effect),
          reaches: 'began-before',
          expires: expiry(event, judgement),
        }
      )
    case 'condition':
      if (effect) return entry(event, cause, effect)
      // A milder degree of what has rules gives back what a harder one took: MEDIUM after HIGH.
      return policy.knows(event.type) ? liftOf(event, cause, 'suspend') : undefined
    case 'lift':
      // Needs no rule: what a rule of yesterday took can still be given back.
      return liftOf(event, cause, effect ?? 'suspend')
  }
}

function entry(event: SecurityEvent, name: string, effect: Effect): LedgerEntry {
  const { iss, type, jti, txn, iat, subject, time } = event
  return {
    on: subject,
    effect,
    since: time,
    reaches: 'all',
    cause: { iss, name, type, jti, ...(txn === undefined ? {} : { txn }), iat },
  }
}

const liftOf = (event: SecurityEvent, cause: string, effect: Effect): LedgerEntry => ({
  ...entry(event, cause, effect),
  lifted: true,
})

/** From receipt, for a SET can come late, and no earlier than the issuer's own clock says. */
const expiry = ({ iat }: SecurityEvent, { received, longestSessionSeconds }: Judgement): number =>
  Math.ceil(Math.max(received, iat)) + longestSessionSeconds
