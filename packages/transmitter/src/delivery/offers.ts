import type { EntryKind, OutboxRow } from '../store/transmitter-store.ts'
import type { QueueContext } from './delivery-context.ts'
import { createOfferBook, type Offer, type OfferBook } from './offer-book.ts'
import { withhold } from './withhold.ts'

/** What was offered to a polling Receiver and not acknowledged yet. */
export interface Offers {
  /** How many SETs are on offer. */
  readonly size: number
  /** Offers the oldest rows that are not on offer already. */
  make(limit: number): Promise<Selection>
  /** Takes rows back that did not reach the Receiver: the next poll gets them. */
  withdraw(rows: readonly OutboxRow[]): void
  /** Offers a row again, but not before a time in milliseconds since 1970. */
  postpone(jti: string, until: number): void
  /** Notes that a row is done with. False when it was not on offer. */
  forget(jti: string): boolean
  /** What is known of a row that was offered. */
  find(jti: string): Offer | undefined
  /** When the oldest offer is made again, in milliseconds since 1970; undefined: nothing is. */
  overdueAt(): number | undefined
  /** Forgets all: the rows were dropped. */
  reset(): Promise<void>
}

/** Rows that are offered. */
export interface Selection {
  readonly rows: readonly OutboxRow[]
  /** Whether more could be offered now. */
  readonly hasMore: boolean
}

/** Whose offers they are, and of what. */
export interface OffersPlan {
  readonly streamId: string
  readonly kind: EntryKind
  /** Told that a row that waited is to be offered. */
  readonly isDue: () => void
  /** Told of a row that could not be looked at; when it is tried again is the answer. */
  readonly failed: (offer: Offer) => number
}

interface Offering extends OffersPlan, QueueContext {
  readonly book: OfferBook
  /** `seq` up to which rows were looked at. */
  after: number
}

/**
 * Makes the offers of one stream and kind. An offer holds for `redeliveryMs`; then the row is
 * offered again, at its old place: before everything that is newer.
 */
export function createOffers(plan: OffersPlan, context: QueueContext): Offers {
  const book = createOfferBook(context, plan.isDue)
  const offering: Offering = { ...context, ...plan, book, after: 0 }
  let turn: Promise<unknown> = Promise.resolve()
  /** One at a time: two that read the same page would offer it twice. */
  const inTurn = <Result>(work: () => Result | Promise<Result>): Promise<Result> => {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }
  return {
    get size() {
      return book.size
    },
    make: (limit) => inTurn(() => make(offering, limit)),
    withdraw: (rows) => {
      for (const { jti } of rows) book.withdraw(jti)
    },
    postpone: (jti, until) => book.postpone(jti, until),
    forget: (jti) => book.forget(jti),
    find: (jti) => book.find(jti),
    overdueAt: () => book.overdueAt(),
    reset: () => inTurn(() => book.clear()),
  }
}

async function make(offering: Offering, limit: number): Promise<Selection> {
  const { book } = offering
  book.withdrawOverdue()
  const rows: OutboxRow[] = []
  // One more than is wanted tells whether there is more: only what may leave is more.
  while (rows.length <= limit) {
    const count = limit + 1 - rows.length
    const known = await readDue(offering, count)
    const found = known.length > 0 ? known : await readNew(offering, count)
    if (found.length === 0) break
    rows.push(...(await offer(offering, found)))
  }
  for (const { jti } of rows.slice(limit)) book.withdraw(jti)
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit }
}

/** Those that were looked at before, oldest first. */
async function readDue(offering: Offering, count: number): Promise<readonly OutboxRow[]> {
  const { book, store, streamId, kind } = offering
  for (;;) {
    const wanted = book.due(count)
    const [first] = wanted
    if (!first) return []
    const limit = wanted.length
    const rows = await store.readRows(streamId, { kind, after: first.seq - 1, limit })
    const read = rows.length < limit ? Infinity : (rows.at(-1)?.seq ?? Infinity)
    const there = new Set(rows.map(({ jti }) => jti))
    // Those that were dropped meanwhile let others of their lane go on.
    for (const { jti, seq } of wanted) if (seq <= read && !there.has(jti)) book.forget(jti)
    const found = rows.filter(({ jti }) => book.isDue(jti))
    if (found.length > 0) return found
  }
}

/** Those that were never looked at, but for those that have to wait. */
async function readNew(offering: Offering, count: number): Promise<readonly OutboxRow[]> {
  const { book, store, streamId, kind } = offering
  const rows: OutboxRow[] = []
  while (rows.length < count) {
    if (book.isFull) break
    const limit = count - rows.length
    const page = await store.readRows(streamId, { kind, after: offering.after, limit })
    rows.push(...page.filter((row) => book.take(row)))
    offering.after = page.at(-1)?.seq ?? offering.after
    if (page.length < limit) break
  }
  return rows
}

/** Looks at rows once more, and puts those on offer that may leave. */
async function offer(offering: Offering, rows: readonly OutboxRow[]): Promise<OutboxRow[]> {
  const { book, mayLeave, streamId, failed } = offering
  const looks = await Promise.all(
    rows.map(({ claims }) => mayLeave(streamId, claims).catch(() => undefined)),
  )
  const offered: OutboxRow[] = []
  for (const [index, row] of rows.entries()) {
    const opened = book.open(row.jti)
    if (!opened) continue
    if (looks[index] === true) offered.push(row)
    else if (looks[index] === undefined) book.postpone(row.jti, failed(opened))
    else {
      await withhold(offering, streamId, row.jti)
      book.forget(row.jti)
    }
  }
  return offered
}
