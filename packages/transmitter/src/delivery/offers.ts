import type { OutboxRow } from '../store/transmitter-store.ts'
import type { DeliveryContext } from './delivery-context.ts'

/** What was offered to a polling Receiver and not acknowledged yet. */
export interface Offers {
  /** Offers the oldest rows that are not on offer already. */
  make(limit: number): Promise<{ readonly rows: readonly OutboxRow[]; readonly hasMore: boolean }>
  /** Takes rows back that did not reach the Receiver: the next poll gets them. */
  withdraw(rows: readonly OutboxRow[]): void
  /** Notes that a row is done with. False when it was not on offer. */
  forget(jti: string): boolean
  /** Milliseconds until the oldest offer is made again. */
  dueInMs(): number
}

/**
 * Makes the offers of one stream. An offer holds for `redeliveryMs`; then the row is offered again,
 * at its old place: before everything that is newer.
 */
export function createOffers(
  streamId: string,
  { store, clock, settings }: DeliveryContext,
): Offers {
  const { redeliveryMs } = settings.poll
  /** By `jti`, in the order of `at`. */
  const open = new Map<string, { readonly seq: number; readonly at: number }>()
  /** Rows up to here are on offer or done. */
  let after = 0
  let rewindTo = Infinity
  let turn: Promise<unknown> = Promise.resolve()

  const withdraw = (jti: string, seq: number): void => {
    open.delete(jti)
    rewindTo = Math.min(rewindTo, seq - 1)
  }
  const withdrawOverdue = (): void => {
    const overdue = clock.now() - redeliveryMs
    for (const [jti, { seq, at }] of open) {
      if (at > overdue) return
      withdraw(jti, seq)
    }
  }

  const make = async (limit: number): ReturnType<Offers['make']> => {
    withdrawOverdue()
    after = Math.min(after, rewindTo)
    rewindTo = Infinity
    const rows: OutboxRow[] = []
    for (;;) {
      const page = await store.readRows(streamId, after, limit + 1)
      for (const row of page) {
        const isFree = !open.has(row.jti)
        if (isFree && rows.length === limit) return { rows, hasMore: true }
        if (isFree) {
          rows.push(row)
          open.set(row.jti, { seq: row.seq, at: clock.now() })
        }
        after = row.seq
      }
      if (page.length <= limit) return { rows, hasMore: false }
    }
  }

  return {
    // One at a time: two that read the same page would offer it twice, or skip a rewind.
    make: (limit) => {
      const made = turn.then(() => make(limit))
      turn = made.catch(() => undefined)
      return made
    },
    withdraw: (rows) => {
      for (const { jti, seq } of rows) withdraw(jti, seq)
    },
    forget: (jti) => open.delete(jti),
    dueInMs: () => {
      const [oldest] = open.values()
      return oldest ? Math.max(0, oldest.at + redeliveryMs - clock.now()) : Infinity
    },
  }
}
