import { complex, uri } from '@drawbridge/schema'
import { localIssuer, type LedgerEntry } from '../ledger/ledger-entry.ts'
import type { Act } from './act.ts'

/** When an act happened, and by whom. */
export interface ActOrigin {
  /** T, NumericDate in seconds. */
  readonly since: number
  /** An identifier that is used once. */
  readonly id: string
  /** The operator's name. Default: nobody is named. */
  readonly by?: string
}

/** Makes the entry by which the ledger remembers an act. It is about no session and takes nothing. */
export const actEntry = (act: Act, { since, id, by }: ActOrigin): LedgerEntry => ({
  on: complex({ transmitter: uri(act.iss) }),
  effect: 'suspend',
  since,
  reaches: 'all',
  cause: {
    iss: localIssuer,
    name: act.name,
    type: localIssuer,
    jti: id,
    iat: Math.floor(since),
    ...(by !== undefined && { by }),
  },
  act,
})
