import { entryKey, type LedgerEntry } from './ledger-entry.ts'
import { merge, type Ledger, type LedgerFollower } from './ledger.ts'

/** Registers one test: `it` of jest, vitest or `node:test`. */
export type ContractTest = (name: string, run: () => Promise<void>) => void

/** Makes a ledger that is empty and not open yet. */
export type MakeLedger = () => Ledger | Promise<Ledger>

/** Makes a second ledger, not open yet, on the store of the first: as another node has it. */
export type MakeLedgerBeside = (first: Ledger) => Ledger | Promise<Ledger>

/**
 * Registers the tests that every {@link Ledger} passes. Needs no test runner of its own.
 *
 * @example
 *   ledgerContract(it, () => memoryLedger())
 *
 * @param makeBeside Where nodes share the ledger: then `follow` is tested as well
 */
export function ledgerContract(
  test: ContractTest,
  make: MakeLedger,
  makeBeside?: MakeLedgerBeside,
): void {
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
  if (!makeBeside) return
  for (const [name, run] of Object.entries(shared)) {
    withLedger(name, async (ledger) => {
      const other = await makeBeside(ledger)
      await other.open()
      try {
        await run(ledger, other)
      } finally {
        await other.close()
      }
    })
  }
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

const shared: Record<string, (ledger: Ledger, other: Ledger) => Promise<void>> = {
  'a follower has every entry once following has begun, and is heard from': async (one, other) => {
    await one.write(at(10))
    await other.write(at(20, 'b'))
    const node = createNode()
    await one.follow?.(node)
    same(lines(node.entries()), lines([at(10), at(20, 'b')]), 'what the follower knows')
    same(node.heardCount() > 0, true, 'that "heard" was called')
  },
  'a follower hears what another ledger writes, and what its own writes': async (one, other) => {
    const node = createNode()
    await one.follow?.(node)
    await other.write(at(10))
    await one.write(at(20, 'b'))
    await node.until(() => node.entries().length === 2)
    same(lines(node.entries()), lines([at(10), at(20, 'b')]), 'what the follower knows')
  },
  'a follower is heard from while nobody writes': async (ledger) => {
    const node = createNode()
    await ledger.follow?.(node)
    const heard = node.heardCount()
    await node.until(() => node.heardCount() > heard + 1)
  },
  'writes of two ledgers at once end in the same entry, on both': async (one, other) => {
    const nodes = [createNode(), createNode()] as const
    await one.follow?.(nodes[0])
    await other.follow?.(nodes[1])
    const times = [3, 9, 1, 7, 5, 8, 2]
    await Promise.all(times.flatMap((since) => [one.write(at(since)), other.write(at(since))]))
    for (const ledger of [one, other]) await holds(ledger, [at(9)])
    for (const node of nodes) await node.until(() => node.entries()[0]?.since === 9)
  },
  'a follower hears nothing of a ledger that is closed, and begins again': async (one, other) => {
    const before = createNode()
    await one.follow?.(before)
    await one.close()
    await other.write(at(10))
    await one.open()
    const after = createNode()
    await one.follow?.(after)
    same(before.entries().length, 0, 'what the follower knows that had ended')
    same(lines(after.entries()), lines([at(10)]), 'what the follower knows')
  },
}

/** A follower that keeps what it hears. */
interface Node extends LedgerFollower {
  entries(): readonly LedgerEntry[]
  heardCount(): number
  /** Resolves when something was heard after which the condition holds. */
  until(condition: () => boolean): Promise<void>
}

function createNode(): Node {
  const known = new Map<string, LedgerEntry>()
  const waiting = new Map<() => boolean, () => void>()
  let heard = 0
  const look = (): void => {
    for (const [condition, resolve] of waiting) if (condition()) resolve()
  }
  const entries = (): LedgerEntry[] => [...known.values()]
  return {
    entries,
    heardCount: () => heard,
    until: (condition) =>
      new Promise((resolve) => {
        waiting.set(condition, resolve)
        look()
      }),
    put: (more) => {
      for (const entry of more) {
        const key = entryKey(entry)
        known.set(key, merge(known.get(key), entry).entry)
      }
      look()
    },
    heard: () => {
      heard += 1
      look()
    },
    lost: entries,
    doubt: () => undefined,
  }
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
