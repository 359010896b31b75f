import { historyCases } from './history-cases.ts'
import { rowCases } from './row-cases.ts'
import type { StoreCase } from './store-case.ts'
import { streamCases } from './stream-cases.ts'
import { subjectCases } from './subject-cases.ts'

/**
 * What every `TransmitterStore` does, case by case. Needs no test runner; one store serves all
 * cases.
 *
 * @example
 *   for (const { name, run } of transmitterStoreContract) test(name, () => run(store))
 */
export const transmitterStoreContract: readonly StoreCase[] = [
  ...streamCases,
  ...subjectCases,
  ...rowCases,
  ...historyCases,
]
