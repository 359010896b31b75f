import type { Subject } from '@drawbridge/schema'
import type { OutsideMandate } from './authority/authority.ts'
import type { Effect } from './effect.ts'
import type { HookName } from './hooks/hooks.ts'
import type { Cause } from './ledger/ledger-entry.ts'
import type { LedgerDoubt } from './ledger/ledger.ts'

/** How long a change of risk took to reach the guard, in milliseconds. */
export interface DwellTime {
  /** From T, when it happened. Includes the clocks' difference and the rounding of T to seconds. */
  readonly sinceEventMs: number
  /** From `iat`, when the SET was issued. Rounded like T. */
  readonly sinceIssuedMs: number
  /** From the call of `apply` or `take`, by this machine's clock alone. */
  readonly sinceReceivedMs: number
}

/** What can be watched. Texts of a cause, and subjects, are the peer's. */
export interface EnforcementEvents {
  /** A signal is in the ledger and the guard of this node answers by it. */
  readonly 'signal:applied': {
    readonly at: number
    readonly cause: Cause
    readonly subject: Subject
    readonly effect: Effect
    /** True when the signal gave back instead of taking. */
    readonly lifted: boolean
    /** False for a signal that is repeated, late or replayed. */
    readonly changed: boolean
    /**
     * True when it takes nothing: its Transmitter is only observed, in quarantine, or what it said
     * at that time was undone.
     */
    readonly observed: boolean
    /** True when it is above its Transmitter's budget: it suspends, until an operator answers. */
    readonly held: boolean
    readonly dwell: DwellTime
  }
  /** The guard of this node answers by a signal that another node applied. */
  readonly 'signal:followed': {
    readonly at: number
    readonly cause: Cause
    readonly effect: Effect
    readonly lifted: boolean
    readonly dwell: Omit<DwellTime, 'sinceReceivedMs'>
  }
  /** A signal takes nothing: its type means nothing for access, or has no rule. */
  readonly 'signal:ignored': {
    readonly at: number
    readonly type: string
    readonly iss: string
    readonly jti: string
  }
  /** A signal takes nothing, for its Transmitter has no mandate to say it. */
  readonly 'signal:outside-mandate': {
    readonly at: number
    readonly type: string
    readonly iss: string
    readonly jti: string
    readonly subject: Subject
    readonly reason: OutsideMandate
  }
  /** Nobody could say what the application calls the subject of a signal; it stays in the ledger. */
  readonly 'signal:unresolved': {
    readonly at: number
    readonly cause: Cause
    readonly subject: Subject
  }
  /** A signal met none of the sessions that the application knows; it stays in the ledger. */
  readonly 'signal:unmatched': {
    readonly at: number
    readonly cause: Cause
    readonly subject: Subject
  }
  /** A Transmitter was not heard of for as long as its rule in `silence` allows. */
  readonly 'transmitter:silent': {
    readonly at: number
    readonly iss: string
    /** Milliseconds since 1970. */
    readonly heardAt: number
  }
  /**
   * A Transmitter is heard of again. What it said meanwhile may be lost, or come late: where that
   * matters, ask it what holds.
   */
  readonly 'transmitter:returned': {
    readonly at: number
    readonly iss: string
    /** How long nothing was heard of it, in milliseconds. */
    readonly silentMs: number
  }
  /** A Transmitter went above its budget. Told once, however much follows, until it is answered. */
  readonly 'budget:exceeded': {
    readonly at: number
    readonly iss: string
    /** How many principals it may end the sessions of. */
    readonly principals: number
    /** In how long, in seconds. */
    readonly windowSeconds: number
  }
  /** An operator lets what was held above a budget end sessions. */
  readonly 'budget:confirmed': {
    readonly at: number
    readonly iss: string
    /** How many signals were held. */
    readonly signals: number
    readonly by?: string
  }
  /** An operator gave back what was held above a budget. */
  readonly 'budget:released': {
    readonly at: number
    readonly iss: string
    /** How many signals were held. */
    readonly signals: number
    readonly by?: string
  }
  /** An operator stopped a Transmitter's effects. */
  readonly 'transmitter:quarantined': {
    readonly at: number
    readonly iss: string
    /** Why, in the operator's words. */
    readonly reason: string
    readonly by?: string
  }
  /** An operator ended a quarantine. */
  readonly 'transmitter:reinstated': {
    readonly at: number
    readonly iss: string
    readonly by?: string
  }
  /** An operator gave back what a Transmitter's signals took. */
  readonly 'effects:undone': {
    readonly at: number
    readonly iss: string
    /** From when on, in milliseconds since 1970. */
    readonly since: number
    /** How many signals were lifted. */
    readonly signals: number
    /** How many stay, for the application has carried out what they ended. */
    readonly terminated: number
    readonly by?: string
  }
  /** A signal would take more from an account of `protect` than it can. */
  readonly 'subject:protected': {
    readonly at: number
    readonly cause: Cause
    readonly subject: Subject
    /** What the signal does to others. */
    readonly effect: Effect
  }
  /** A request was denied. */
  readonly 'request:denied': {
    readonly at: number
    readonly outcome: 'challenge' | 'refuse'
    /** Absent where no signal is in the way. */
    readonly effect?: Effect
    readonly causes: readonly Cause[]
  }
  /** A request went on that signals of Transmitters in observation speak against. */
  readonly 'request:observed': {
    readonly at: number
    readonly causes: readonly Cause[]
  }
  /** The ledger, shared with other nodes, was not heard for `maxStalenessMs`. */
  readonly 'ledger:stale': {
    readonly at: number
    /** Milliseconds since 1970. */
    readonly heardAt: number
  }
  /** The ledger is heard again, and this node knows everything in it. */
  readonly 'ledger:fresh': { readonly at: number }
  /** The ledger had lost entries; this node writes again what it knows. */
  readonly 'ledger:lost': {
    readonly at: number
    /** How many entries are written. */
    readonly entries: number
  }
  /** The ledger may forget what it acknowledged. */
  readonly 'ledger:doubted': {
    readonly at: number
    readonly reason: LedgerDoubt
  }
  /** A hook finished. */
  readonly 'hook:succeeded': {
    readonly at: number
    readonly name: HookName
    readonly key: string
    readonly attempt: number
  }
  /** An attempt at a hook failed or took too long. */
  readonly 'hook:failed': {
    readonly at: number
    readonly name: HookName
    readonly key: string
    readonly attempt: number
    /** True when no other attempt follows. */
    readonly givenUp: boolean
    readonly error: unknown
  }
}

/** Emits an event with the time of now. */
export type Tell = <Name extends keyof EnforcementEvents>(
  name: Name,
  event: Omit<EnforcementEvents[Name], 'at'>,
) => void
