import { accessMeaning, type SecurityEvent } from '@drawbridge/schema'
import type { LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Policy } from './policy.ts'

/** What turns an event into an entry. */
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
 * @returns The entry for the ledger; undefined when the event takes and lifts nothing, or is of a
 *   type that has no rule or that nobody knows
 */
export function entryOf(event: SecurityEvent, judgement: Judgement): LedgerEntry | undefined {
  const { decision, cause: name } = accessMeaning(event)
  const effect = judgement.policy.ruleFor(event.type)?.effect
  switch (decision) {
    case 'nothing':
      return undefined
    case 'cut':
      return effect && cutOf(entry(event, name, effect), judgement)
    case 'condition':
      return effect && entry(event, name, effect)
    case 'lift':
      // Needs no rule: what a rule of yesterday took can still be given back.
      return { ...entry(event, name, effect ?? 'suspend'), lifted: true }
  }
}

function entry(event: SecurityEvent, name: string, effect: LedgerEntry['effect']): LedgerEntry {
  const { iss, type, jti, txn, iat, subject, time } = event
  return {
    on: subject,
    effect,
    since: time,
    reaches: 'all',
    cause: { iss, name, type, jti, ...(txn === undefined ? {} : { txn }), iat },
  }
}

function cutOf(condition: LedgerEntry, judgement: Judgement): LedgerEntry {
  // From receipt, for a SET can come late, and no earlier than the issuer's own clock says.
  const from = Math.ceil(Math.max(judgement.received, condition.cause.iat))
  return {
    ...condition,
    reaches: 'began-before',
    expires: from + judgement.longestSessionSeconds,
  }
}
