import { describe, expect, it } from '@jest/globals'
import { entryKey } from '@drawbridge/enforcement'
import { createLedgerIndex } from '../src/ledger/ledger-index.ts'
import { entryWith, noon } from './signals.ts'

describe('the index of the ledger', () => {
  it('files an entry that is renewed in each place once', () => {
    const index = createLedgerIndex()
    const entry = entryWith({ effect: 'suspend', reaches: 'all' })
    for (const since of [noon, noon + 1, noon + 2]) index.put({ ...entry, since })
    expect([...index.places(entryKey(entry))]).toHaveLength(1)
  })
})
