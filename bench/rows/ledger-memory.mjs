import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../support/ledger-memory.mjs', import.meta.url))

/** What a ledger entry costs in memory, at 100,000 of them; the floor is what it may cost: 1 KB. */
export async function ledgerMemory() {
  const { stdout } = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
  return [
    {
      name: 'ledger entry in memory, 100,000 entries',
      unit: 'B',
      ours: Number(stdout),
      floor: 1024,
      goal: '≤1',
    },
  ]
}
