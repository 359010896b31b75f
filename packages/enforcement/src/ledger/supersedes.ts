import { hardness } from '../effect.ts'
import type { LedgerEntry } from './ledger-entry.ts'

/**
 * Tells whether an entry takes the place of the standing one with the same key: the newest T wins,
 * whether it takes or lifts. This is a strict total order of signals, so merging is commutative,
 * associative and idempotent: whatever the order and number of arrivals, the same entry stands.
 *
 * Where T is equal (many Transmitters know whole seconds only) a `jti` that is a UUIDv7 tells which
 * came later. Where it does not, the doubt is settled against access: what takes wins over what
 * lifts, and the harder effect over the milder.
 *
 * @see RFC 9562, "UUID Version 7"
 */
export function supersedes(entry: LedgerEntry, standing: LedgerEntry): boolean {
  return order(entry, standing) > 0
}

function order(one: LedgerEntry, other: LedgerEntry): number {
  return (
    one.since - other.since ||
    rank(one) - rank(other) ||
    compare(laterness(one), laterness(other)) ||
    severity(one) - severity(other) ||
    compare(one.cause.jti, other.cause.jti)
  )
}

/**
 * Entries of equal T fall into three classes, so that a jti with an order and one without never
 * make a circle: lifts without an order, then all with an order, then takings without one.
 */
function rank(entry: LedgerEntry): number {
  if (isTimeOrdered(entry.cause.jti)) return 1
  return entry.lifted ? 0 : 2
}

const severity = (entry: LedgerEntry): number => (entry.lifted ? -1 : hardness(entry.effect))

const laterness = ({ cause: { jti } }: LedgerEntry): string =>
  isTimeOrdered(jti) ? jti.toLowerCase() : ''

const uuidV7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i

const isTimeOrdered = (jti: string): boolean => uuidV7.test(jti)

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
