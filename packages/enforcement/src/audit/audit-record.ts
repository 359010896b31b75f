import type { Watchable } from '@drawbridge/core'
import { principalKey, type Subject } from '@drawbridge/schema'
import type { EnforcementEvents } from '../enforcement-events.ts'

/** One line of the record: an event of the enforcement, by its name. */
export type AuditRecord = {
  readonly [Name in AuditedEvent]: { readonly event: Name } & EnforcementEvents[Name]
}[AuditedEvent]

/** What is recorded: what was decided, and what was done. Single requests are not. */
export type AuditedEvent = Exclude<
  keyof EnforcementEvents,
  'signal:followed' | 'request:denied' | 'request:observed'
>

/** Every {@link AuditedEvent}. */
export const auditedEvents: readonly AuditedEvent[] = [
  'signal:applied',
  'signal:ignored',
  'signal:outside-mandate',
  'signal:unresolved',
  'signal:unmatched',
  'transmitter:silent',
  'transmitter:returned',
  'budget:exceeded',
  'budget:confirmed',
  'budget:released',
  'transmitter:quarantined',
  'transmitter:reinstated',
  'effects:undone',
  'subject:protected',
  'ledger:stale',
  'ledger:fresh',
  'ledger:lost',
  'ledger:doubted',
  'hook:succeeded',
  'hook:failed',
]

/** How subjects are written. */
export interface AuditPrivacy {
  /** Gives a name that stands for a subject, always the same: a keyed hash. */
  pseudonym?(subjectKey: string): string
}

/**
 * Hands every audited event over, in the order in which they happen, ready to be written as JSON.
 *
 * @returns Stops it
 */
export function watchForAudit(
  events: Watchable<EnforcementEvents>,
  { pseudonym }: AuditPrivacy,
  write: (record: AuditRecord) => void,
): () => void {
  const listeners = auditedEvents.map((event) => {
    const listener = (told: object): void => {
      write({ event, ...readable(told, pseudonym) } as AuditRecord)
    }
    events.on(event, listener)
    return () => events.off(event, listener)
  })
  return () => {
    for (const stop of listeners) stop()
  }
}

/** Subjects as wanted; of an error its name and code, for its text may hold anything. */
function readable(told: object, pseudonym: AuditPrivacy['pseudonym']): object {
  const { subject, error, key, ...rest } = told as {
    readonly subject?: Subject
    readonly error?: unknown
    readonly key?: string
  }
  return {
    ...rest,
    ...(key !== undefined && { key }),
    ...(subject && { subject: pseudonym ? pseudonym(principalKey(subject)) : subject }),
    ...(error !== undefined && { error: nameOf(error) }),
  }
}

function nameOf(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error'
}
