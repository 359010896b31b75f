import type { Effect } from '../effect.ts'
import type { AccessDecision } from '../guard/access-decision.ts'
import type { Cause } from '../ledger/ledger-entry.ts'

/** Why an `AbortSignal` of `enforcement.signal` aborted: its `reason`. */
export class AccessEndedError extends Error {
  override name = 'AccessEndedError'
  readonly code = 'ERR_ACCESS_ENDED'
  /** The hardest effect in force, where one is. */
  readonly effect?: Effect
  /** The signals behind it. Their texts are the peer's. */
  readonly causes: readonly Cause[]
  constructor({ effect, causes }: Pick<AccessDecision, 'effect' | 'causes'>) {
    super('the access of this session has ended or been limited: ask "check" again')
    if (effect !== undefined) this.effect = effect
    this.causes = causes
  }
}
