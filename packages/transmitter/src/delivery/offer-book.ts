import type { OutboxRow } from '../store/transmitter-store.ts'
import type { QueueContext } from './delivery-context.ts'
import { keepsOrder } from './keeps-order.ts'

/** A row that was offered, or is about to be, without its claims. */
export interface Offer {
  readonly jti: string
  readonly seq: number
  readonly lane: string
  readonly recordedAt: number
  /** Whether others of its lane wait until it is done with. */
  readonly keepsOrder: boolean
  /** How many attempts of it have failed. */
  failures: number
  /** How many SETs its Receiver had taken when it first reported that this one is wrong. */
  takenBefore: number | undefined
}

/** What is known of the rows of a polled stream that were looked at and are not done with. */
export interface OfferBook {
  /** How many are on offer. */
  readonly size: number
  /** Whether so many wait behind others that no more are to be looked at. */
  readonly isFull: boolean
  find(jti: string): Offer | undefined
  isDue(jti: string): boolean
  /** The oldest that are to be offered, at most so many. */
  due(count: number): readonly Offer[]
  /**
   * Takes a row up that was never looked at.
   *
   * @returns Whether it can be offered; if not, it waits behind another of its lane
   */
  take(row: OutboxRow): boolean
  /** Puts a row on offer. Undefined when it is done with already. */
  open(jti: string): Offer | undefined
  /** Takes an offer back: the row is to be offered again. */
  withdraw(jti: string): void
  /** Takes back what was offered so long ago that it is to be offered again. */
  withdrawOverdue(): void
  /** Takes an offer back until a time in milliseconds since 1970. */
  postpone(jti: string, until: number): void
  /** Notes that a row is done with. False when it is unknown, or only waits. */
  forget(jti: string): boolean
  /** When the oldest offer is overdue, in milliseconds since 1970; undefined: nothing is on offer. */
  overdueAt(): number | undefined
  clear(): void
}

/** Rows that wait behind another of their lane, in memory; a row beyond them waits in the store. */
const mostBlocked = 10_000

/**
 * Makes an empty book.
 *
 * @param isDue Told when a row has become due by itself: put off, or behind one that is done with
 */
export function createOfferBook(
  { clock, settings, timetable }: Pick<QueueContext, 'clock' | 'settings' | 'timetable'>,
  isDue: () => void,
): OfferBook {
  const { redeliveryMs } = settings.poll
  /** On offer, in the order of the offers, with their time. */
  const open = new Map<string, { readonly offer: Offer; readonly at: number }>()
  /** To be offered. */
  const due = new Map<string, Offer>()
  /** To be offered at a time. */
  const later = new Map<string, { readonly offer: Offer; readonly fire: () => void }>()
  const order = createLaneOrder()

  const find = (jti: string): Offer | undefined =>
    open.get(jti)?.offer ?? due.get(jti) ?? later.get(jti)?.offer
  const takeOut = (jti: string): Offer | undefined => {
    const offer = find(jti)
    const putOff = later.get(jti)
    if (putOff) timetable.delete(putOff.fire)
    for (const map of [open, due, later]) map.delete(jti)
    return offer
  }
  const withdraw = (jti: string): void => {
    const offer = takeOut(jti)
    if (offer) due.set(jti, offer)
  }
  const becomeDue = (offer: Offer): void => {
    due.set(offer.jti, offer)
    isDue()
  }

  return {
    get size() {
      return open.size
    },
    get isFull() {
      return order.blocked >= mostBlocked
    },
    find,
    isDue: (jti) => due.has(jti),
    due: (count) => [...due.values()].toSorted((one, other) => one.seq - other.seq).slice(0, count),
    take: (row) => {
      const offer = offerOf(row)
      const isFree = order.enter(offer)
      if (isFree) due.set(offer.jti, offer)
      return isFree
    },
    open: (jti) => {
      const offer = takeOut(jti)
      if (offer) open.set(jti, { offer, at: clock.now() })
      return offer
    },
    withdraw,
    withdrawOverdue: () => {
      for (const [jti, { at }] of open) {
        if (at + redeliveryMs > clock.now()) return
        withdraw(jti)
      }
    },
    postpone: (jti, until) => {
      const offer = takeOut(jti)
      if (!offer) return
      const fire = (): void => {
        later.delete(jti)
        becomeDue(offer)
      }
      later.set(jti, { offer, fire })
      timetable.add(fire, until)
    },
    forget: (jti) => {
      const offer = takeOut(jti)
      const next = offer && order.leave(offer)
      if (next) becomeDue(next)
      return offer !== undefined
    },
    overdueAt: () => {
      const [oldest] = open.values()
      return oldest && oldest.at + redeliveryMs
    },
    clear: () => {
      for (const { fire } of later.values()) timetable.delete(fire)
      for (const map of [open, due, later]) map.clear()
      order.clear()
    },
  }
}

/** Lets those rows of a lane that keep its order through one after the other. */
interface LaneOrder {
  /** How many wait. */
  readonly blocked: number
  /** Whether it may go at once; else it waits. */
  enter(offer: Offer): boolean
  /** Lets the next of the lane through. */
  leave(offer: Offer): Offer | undefined
  clear(): void
}

function createLaneOrder(): LaneOrder {
  const waiting = new Map<string, Offer[]>()
  let blocked = 0
  return {
    get blocked() {
      return blocked
    },
    enter: (offer) => {
      const behind = offer.keepsOrder ? waiting.get(offer.lane) : undefined
      if (behind) {
        behind.push(offer)
        blocked++
      } else if (offer.keepsOrder) waiting.set(offer.lane, [])
      return behind === undefined
    },
    leave: (offer) => {
      if (!offer.keepsOrder) return undefined
      const next = waiting.get(offer.lane)?.shift()
      if (next) blocked--
      else waiting.delete(offer.lane)
      return next
    },
    clear: () => {
      waiting.clear()
      blocked = 0
    },
  }
}

const offerOf = ({ jti, seq, lane, recorded_at: recordedAt, claims }: OutboxRow): Offer => ({
  jti,
  seq,
  lane,
  recordedAt,
  keepsOrder: keepsOrder(claims),
  failures: 0,
  takenBefore: undefined,
})
