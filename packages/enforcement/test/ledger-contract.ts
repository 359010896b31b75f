import { describe, expect, it } from '@jest/globals'
import type { Ledger } from '@drawbridge/enforcement'
import { alice, entryWith, laptop, noon } from './signals.ts'

/** What a contract needs of a store: a place to keep entries, from which ledgers can be made. */
export interface LedgerPlace {
  /** Makes a ledger on the place. After the last one was closed, the next one finds its entries. */
  ledger(): Ledger
  remove(): Promise<void>
}

/** The contract that every ledger keeps. */
export function describeLedger(name: string, makePlace: () => Promise<LedgerPlace>): void {
  const withPlace = (test: (place: LedgerPlace, ledger: Ledger) => Promise<void>) => async () => {
    const place = await makePlace()
    const ledger = place.ledger()
    await ledger.open()
    try {
      await test(place, ledger)
    } finally {
      await ledger.close()
      await place.remove()
    }
  }

  describe(`${name} as a ledger`, () => {
    it(
      'starts empty and keeps what is written',
      withPlace(async (_, ledger) => {
        expect(await ledger.readAll()).toEqual([])
        const entry = entryWith({ since: noon + 0.25, expires: noon + 60, cause: { txn: 'a\0"b' } })
        expect(await ledger.write(entry)).toEqual({ changed: true, entry })
        expect(await ledger.readAll()).toEqual([entry])
      }),
    )
    it(
      'says that a repeated or older signal changes nothing, and what stands',
      withPlace(async (_, ledger) => {
        const entry = entryWith()
        const older = entryWith({ since: noon - 1, cause: { jti: 'older' } })
        await ledger.write(entry)
        expect(await ledger.write(entry)).toMatchObject({ changed: false, entry })
        expect(await ledger.write(older)).toMatchObject({ changed: false, entry, before: entry })
        expect(await ledger.readAll()).toEqual([entry])
      }),
    )
    it(
      'lets the newest win and tells what stood before',
      withPlace(async (_, ledger) => {
        const before = entryWith()
        const entry = entryWith({ since: noon + 1, lifted: true })
        await ledger.write(before)
        expect(await ledger.write(entry)).toEqual({ changed: true, entry, before })
        expect(await ledger.readAll()).toEqual([entry])
      }),
    )
    it(
      'keeps issuers, subjects and causes apart',
      withPlace(async (_, ledger) => {
        const entries = [
          entryWith(),
          entryWith({ on: laptop }),
          entryWith({ on: { format: 'complex', user: alice } }),
          entryWith({ cause: { iss: 'https://other.example' } }),
          entryWith({ cause: { name: 'credential-change' } }),
        ]
        await Promise.all(entries.map((entry) => ledger.write(entry)))
        expect(await ledger.readAll()).toHaveLength(entries.length)
      }),
    )
    it(
      'merges writes that wait together as if they came one by one',
      withPlace(async (_, ledger) => {
        const times = [3, 9, 1, 7, 5]
        const written = await Promise.all(
          times.map((second) => ledger.write(entryWith({ since: noon + second }))),
        )
        expect(written.map(({ changed }) => changed)).toEqual([true, true, false, false, false])
        expect(await ledger.readAll()).toEqual([entryWith({ since: noon + 9 })])
      }),
    )
    it(
      'purges what is past its time and nothing else',
      withPlace(async (_, ledger) => {
        const condition = entryWith({ on: laptop, reaches: 'all', effect: 'suspend' })
        await ledger.write(entryWith({ expires: noon + 60 }))
        await ledger.write(condition)
        await ledger.purge(noon + 59.5)
        expect(await ledger.readAll()).toHaveLength(2)
        await ledger.purge(noon + 60)
        expect(await ledger.readAll()).toEqual([condition])
      }),
    )
    it(
      'finds everything when it is opened again',
      withPlace(async (place, ledger) => {
        await ledger.write(entryWith())
        await ledger.close()
        const again = place.ledger()
        await again.open()
        expect(await again.readAll()).toEqual([entryWith()])
        await again.close()
      }),
    )
    it(
      'can be opened and closed twice, and refuses work while it is closed',
      withPlace(async (_, ledger) => {
        await ledger.open()
        await ledger.close()
        await ledger.close()
        const unavailable = { name: 'StorageError', code: 'ERR_STORAGE_UNAVAILABLE' }
        await expect(ledger.write(entryWith())).rejects.toMatchObject(unavailable)
        await expect(ledger.readAll()).rejects.toMatchObject(unavailable)
      }),
    )
  })
}
