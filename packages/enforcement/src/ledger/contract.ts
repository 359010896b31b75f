import { entryKey, type LedgerEntry } from './ledger-entry.ts'
import type { Ledger } from './ledger.ts'

/** Registers one test: `it` of jest, vitest or `node:test`. */
export type ContractTest = (name: string, run: () => Promise<void>) => void

/** Makes a ledger that is empty and not open yet. */
export type MakeLedger = () => Ledger | Promise<Ledger>

/**
 * Registers the tests that every {@link Ledger} passes. Needs no test runner of its own.
 *
 * @example
 *   ledgerContract(it, () => memoryLedger())
 */
export function ledgerContract(test: ContractTest, make: MakeLedger): void {
  const withLedger = (name: string, run: (ledger: Ledger) => Promise<void>): void =>
    test(name, async () => {
      const ledger = await make()
      await ledger.open()
      try {
        await run(ledger)
      } finally {
        await ledger.close()
      }
    })

  for (const [name, run] of Object.entries(opened)) withLedger(name, run)
  test('a ledger that is not open refuses', async () => {
    const ledger = await make()
    const code = await ledger.readAll().then(
      () => 'none',
      (error: unknown) => (error as { code?: string }).code,
    )
    same(code, 'ERR_STORAGE_UNAVAILABLE', 'the error code')
  })
}

const opened: Record<string, (ledger: Ledger) => Promise<void>> = {
  'what was written is read': async (ledger) => {
    same((await ledger.write(at(10))).changed, true, '"changed"')
    await holds(ledger, [at(10)])
  },
  'a repeated entry changes nothing': async (ledger) => {
    await ledger.write(at(10))
    same((await ledger.write(at(10))).changed, false, '"changed"')
    await holds(ledger, [at(10)])
  },
  'an older entry changes nothing, and the answer is what stands': async (ledger) => {
    await ledger.write(at(20))
    const written = await ledger.write(at(10))
    same(written.changed, false, '"changed"')
    same(written.entry.since, 20, '"entry.since"')
    await holds(ledger, [at(20)])
  },
  'a newer entry takes the place, and the answer tells what stood': async (ledger) => {
    await ledger.write(at(10))
    const written = await ledger.write(at(20))
    same(written.changed, true, '"changed"')
    same(written.before?.since, 10, '"before.since"')
    await holds(ledger, [at(20)])
  },
  'entries of two causes stand side by side': async (ledger) => {
    await ledger.write(at(10))
    await ledger.write(at(20, 'b'))
    await holds(ledger, [at(10), at(20, 'b')])
  },
  'of writes at the same time the newest stands': async (ledger) => {
    await Promise.all([3, 9, 1, 7, 5].map((since) => ledger.write(at(since))))
    await holds(ledger, [at(9)])
  },
  'a purge removes what is past its time, and nothing else': async (ledger) => {
    const standing = [{ ...at(1, 'b'), expires: 101 }, at(1, 'c')]
    for (const entry of [{ ...at(1), expires: 100 }, ...standing]) await ledger.write(entry)
    await ledger.purge(100)
    await holds(ledger, standing)
  },
  'entries outlive a close, and opening twice is opening once': async (ledger) => {
    await ledger.write(at(10))
    await ledger.close()
    await ledger.open()
    await ledger.open()
    await holds(ledger, [at(10)])
  },
}

const at = (since: number, name = 'a'): LedgerEntry => ({
  on: { format: 'iss_sub', iss: 'https://idp.example', sub: '1' },
  effect: 'terminate',
  since,
  reaches: 'all',
  cause: { iss: 'https://idp.example', name, type: 'https://idp.example/e', jti: '1', iat: since },
})

const lines = (entries: readonly LedgerEntry[]): string =>
  entries
    .map((entry) => [entryKey(entry), entry.effect, entry.since, entry.expires].join(' '))
    .toSorted()
    .join('\n')

async function holds(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<void> {
  same(lines(await ledger.readAll()), lines(entries), 'what the ledger holds')
}

function same(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) {
    throw new Error(`${what} must be ${String(expected)}, and is ${String(actual)}`)
  }
}
