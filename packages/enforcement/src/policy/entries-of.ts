import { accessMeaning, type Canonical, type SecurityEvent } from '@drawbridge/schema'
import type { Effect, Terms } from '../effect.ts'
import type { Instead, LedgerEntry } from '../ledger/ledger-entry.ts'
import type { EventToRule, Policy } from './policy.ts'
import { grantsIn, isForAllSessions, type Rule } from './rule.ts'

/** What turns an event into entries. */
export interface Judgement {
  readonly policy: Policy
  /** The one way in which subjects and issuers are written. */
  readonly canonical: Canonical
  /** NumericDate, seconds: when the event was received. */
  readonly received: number
  /** How long a session can live at most, in seconds: so long a cut is remembered. */
  readonly longestSessionSeconds: number
}

/** What happens, and what happens instead to some. */
type Decided = Pick<LedgerEntry, 'effect' | 'terms' | 'instead'>

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
  const expires = expiry(event, judgement)
  const lifted = lifts.map((cause) => liftOf(event, cause, judgement, { expires }))
  return own ? [own, ...lifted] : lifted
}

function ownEntry(event: SecurityEvent, judgement: Judgement): LedgerEntry | undefined {
  const { decision, cause } = accessMeaning(event)
  const { policy, canonical } = judgement
  const isOf = (iss: string): boolean => canonical.issuer(iss) === canonical.issuer(event.iss)
  const decided = decide({ isOf, ...event }, policy)
  switch (decision) {
    case 'nothing':
      return undefined
    case 'cut':
      return (
        decided &&
        entry(event, cause, judgement, {
          reaches: 'began-before',
          expires: expiry(event, judgement),
          recorded: judgement.received,
          ...decided,
        })
      )
    case 'condition':
      if (decided)
        return entry(event, cause, judgement, { recorded: judgement.received, ...decided })
      // A milder degree of what has rules gives back what a harder one took: MEDIUM after HIGH.
      return policy.isOtherDegree({ isOf, ...event }) ? liftOf(event, cause, judgement) : undefined
    case 'lift':
    case 'boundary':
      // Needs no rule: what a rule of yesterday took can still be given back.
      return liftOf(event, cause, judgement)
  }
}

/** Turns the rules that an event fits into what they decide; undefined where none does. */
function decide(event: EventToRule, policy: Policy): Decided | undefined {
  const rules = policy.rulesFor(event)
  const last = rules.at(-1)
  if (!last) return undefined
  if (rules.length === 1 && isForAllSessions(last)) return carryOut(last, event)
  const instead: Instead[] = rules.map((rule) => ({
    ...(rule.kind !== undefined && { kind: rule.kind }),
    ...(rule.tenant !== undefined && { tenant: rule.tenant }),
    ...carryOut(rule, event),
  }))
  // Sessions that no rule fits lose nothing.
  return {
    ...carryOut(last, event),
    instead: isForAllSessions(last) ? instead : [...instead, { effect: null }],
  }
}

function carryOut({ effect, terms }: Rule, event: EventToRule): { effect: Effect; terms?: Terms } {
  if (terms === undefined) return { effect }
  if (!('leaveClaim' in terms)) return { effect, terms }
  return { effect, terms: { leave: grantsIn(event.payload, terms.leaveClaim) ?? [] } }
}

function entry(
  event: SecurityEvent,
  name: string,
  { canonical }: Judgement,
  decided: Decided & Partial<LedgerEntry>,
): LedgerEntry {
  const { type, jti, txn, iat, subject, time } = event
  const iss = canonical.issuer(event.iss)
  return {
    on: canonical.subject(subject),
    since: time,
    reaches: 'all',
    cause: { iss, name, type, jti, ...(txn === undefined ? {} : { txn }), iat },
    // Last: members that are added to a spread object give it a hidden class of its own, which
    // takes a fifth of the memory of an entry.
    ...decided,
  }
}

/** What an entry took that is lifted does not matter any more. */
const liftOf = (
  event: SecurityEvent,
  cause: string,
  judgement: Judgement,
  more: Pick<LedgerEntry, 'expires'> = {},
): LedgerEntry => entry(event, cause, judgement, { effect: 'suspend', lifted: true, ...more })

/** From receipt, for a SET can come late, and no earlier than the issuer's own clock says. */
const expiry = ({ iat }: SecurityEvent, { received, longestSessionSeconds }: Judgement): number =>
  Math.ceil(Math.max(received, iat)) + longestSessionSeconds
