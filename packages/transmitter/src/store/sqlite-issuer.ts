import type { StreamPlaces } from './sqlite-places.ts'
import type { Statements } from './sqlite-statements.ts'

/** What the methods of the store of one issuer share. */
export interface SqliteIssuer {
  /** The id of the issuer in the file. */
  readonly issuer: number
  readonly sql: Statements
  readonly places: StreamPlaces
  /** The place of the next row of the outbox, in the whole file. */
  nextSeq(): number
  /** Reads what is committed. */
  read<Result>(work: () => Result): Promise<Result>
  /** Does work inside the next commit. */
  commit<Result>(work: () => Result): Promise<Result>
}
