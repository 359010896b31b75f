import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  effects,
  entryKey,
  fold,
  merge,
  readSession,
  supersedes,
  type LedgerEntry,
} from '@drawbridge/enforcement'
import { alice, aliceSince, entryWith, laptop, noon, type EntryParts } from './signals.ts'

const early = '019aa000-0000-7000-8000-000000000001'
const late = '019aa000-0000-7000-8000-000000000002'
const taking = (jti: string): LedgerEntry =>
  entryWith({ effect: 'suspend', reaches: 'all', cause: { jti } })
const lifting = (jti: string): LedgerEntry => ({ ...taking(jti), lifted: true })

describe('supersedes, in the same second', () => {
  it.each([
    ['a UUIDv7 that is later lifts', lifting(late), taking(early)],
    ['a UUIDv7 that is later takes', taking(late), lifting(early)],
    ['a UUIDv7 is compared without regard to case', lifting(late.toUpperCase()), taking(early)],
    ['without an order what takes wins', taking('a'), lifting('b')],
    ['a UUIDv4 has no order', taking('0a'), lifting('ffffffff-0000-4000-8000-000000000000')],
    ['one without order takes, one with order lifts', taking('a'), lifting(late)],
    ['one with order takes, one without order lifts', taking(early), lifting('z')],
    ['the harder wins', { ...taking('a'), effect: 'terminate' as const }, taking('z')],
  ])('%s', (_, winner, loser) => {
    expect(supersedes(winner, loser)).toBe(true)
    expect(supersedes(loser, winner)).toBe(false)
  })
  it('a signal does not supersede itself', () => {
    expect(supersedes(taking(late), taking(late))).toBe(false)
  })
})

const jtis = fc.oneof(
  fc.nat({ max: 6 }).map((n) => `019aa000-0000-7000-8000-00000000000${n}`),
  fc.nat({ max: 6 }).map((n) => `plain-${n}`),
)

/** Signals of a small world, so that they often meet: ties, repetitions, lifts, several causes. */
const entries: fc.Arbitrary<LedgerEntry> = fc
  .record({
    on: fc.constantFrom(alice, laptop),
    effect: fc.constantFrom(...effects),
    since: fc.nat({ max: 3 }).map((second) => noon + second / 2),
    reaches: fc.constantFrom('began-before' as const, 'all' as const),
    name: fc.constantFrom('one', 'other'),
    lifted: fc.boolean(),
    jti: jtis,
  })
  .map(({ name, jti, lifted, ...parts }) => {
    const entry: EntryParts = { ...parts, cause: { name, jti } }
    return entryWith(lifted ? { ...entry, lifted } : entry)
  })

/** A jti belongs to one signal: of those that share one, the first is meant. */
const signals: fc.Arbitrary<readonly LedgerEntry[]> = fc.uniqueArray(entries, {
  maxLength: 12,
  selector: ({ cause }) => cause.jti,
})

/** What a ledger holds after these arrivals, by key. */
function ledgerAfter(arrivals: readonly LedgerEntry[]): ReadonlyMap<string, LedgerEntry> {
  const ledger = new Map<string, LedgerEntry>()
  for (const entry of arrivals) {
    const key = entryKey(entry)
    ledger.set(key, merge(ledger.get(key), entry).entry)
  }
  return ledger
}

const winners = (ledger: ReadonlyMap<string, LedgerEntry>): readonly LedgerEntry[] =>
  [...ledger.keys()].toSorted().map((key) => ledger.get(key) as LedgerEntry)

const shuffled = signals.chain((list) =>
  fc.record({
    list: fc.constant(list),
    // Every signal at least once, in any order, some of them again.
    arrivals: fc
      .array(fc.nat({ max: Math.max(0, list.length - 1) }), { maxLength: 12 })
      .map((again) => [...list, ...again.flatMap((place) => list[place] ?? [])])
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
  }),
)

describe('merging', () => {
  it('SET-5.3-1: ends in the same ledger for any interleaving, repetition and order', () => {
    fc.assert(
      fc.property(shuffled, ({ list, arrivals }) => {
        expect(winners(ledgerAfter(arrivals))).toEqual(winners(ledgerAfter(list)))
      }),
      { numRuns: 1000 },
    )
  })
  it('is associative: ledgers that are merged know what one that heard all knows', () => {
    fc.assert(
      fc.property(signals, fc.nat({ max: 12 }), (list, cut) => {
        const halves = [ledgerAfter(list.slice(0, cut)), ledgerAfter(list.slice(cut))]
        const merged = ledgerAfter(halves.flatMap((half) => [...half.values()]))
        expect(winners(merged)).toEqual(winners(ledgerAfter(list)))
      }),
      { numRuns: 500 },
    )
  })
  it('orders any three signals without a circle', () => {
    fc.assert(
      fc.property(entries, entries, entries, (one, two, three) => {
        if (supersedes(one, two) && supersedes(two, three)) {
          expect(supersedes(one, three)).toBe(true)
        }
        expect(supersedes(one, two) && supersedes(two, one)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
  it('never lifts a later T, and never lets an earlier lift count', () => {
    fc.assert(
      fc.property(shuffled, ({ arrivals }) => {
        for (const [key, standing] of ledgerAfter(arrivals)) {
          const rivals = arrivals.filter((entry) => entryKey(entry) === key)
          expect(standing.since).toBe(Math.max(...rivals.map(({ since }) => since)))
        }
      }),
    )
  })
})

describe('the fold', () => {
  it('is the same for any order of the entries', () => {
    const session = readSession(aliceSince(0), 30)
    fc.assert(
      fc.property(shuffled, ({ list, arrivals }) => {
        const [one, other] = [list, arrivals].map((heard) =>
          fold([...ledgerAfter(heard).values()], session, noon),
        )
        expect(one?.effect).toBe(other?.effect)
        expect(new Set(one?.taken)).toEqual(new Set(other?.taken))
      }),
    )
  })
  it('with two causes, one lifted, keeps what the other took', () => {
    fc.assert(
      fc.property(signals, (list) => {
        const condition = entryWith({ on: laptop, reaches: 'all', cause: { name: 'third' } })
        const state = fold([...list, condition], readSession(aliceSince(0), 30), noon)
        expect(state.effect).toBe('terminate')
      }),
    )
  })
})
