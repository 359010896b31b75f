import { CredentialChange } from './caep/credential-change.ts'
import { DeviceComplianceChange } from './caep/device-compliance-change.ts'
import { SessionRevoked } from './caep/session-revoked.ts'
import type { EventType } from './event-type.ts'

/**
 * What an event says about access that was granted earlier.
 *
 * - `cut`: what began at or before T ends or is challenged, what begins later is untouched;
 * - `condition`: from T on it holds for everything that matches, whenever that began;
 * - `lift`: the condition no longer holds from T on;
 * - `nothing`: the event takes nothing.
 */
export type Decision = 'cut' | 'condition' | 'lift' | 'nothing'

/** One row of {@link accessMeaning}. */
export interface AccessMeaning {
  readonly decision: Decision
  /** Whether access ends outright, so that `onSessionTermination` hooks are called. */
  readonly endsSessions: boolean
  /** Names the condition; its lift has the same cause. */
  readonly cause: string
}

const table = new Map<string, (payload: object) => AccessMeaning>([
  row(SessionRevoked, () => ({ decision: 'cut', endsSessions: true, cause: 'session-revoked' })),
  row(CredentialChange, ({ change_type }) => ({
    // A credential that is new or renewed by its owner is no threat; one that is gone may be.
    decision: change_type === 'create' ? 'nothing' : 'cut',
    endsSessions: false,
    cause: 'credential-change',
  })),
  row(DeviceComplianceChange, ({ current_status }) => ({
    decision: current_status === 'compliant' ? 'lift' : 'condition',
    endsSessions: false,
    cause: 'device-compliance',
  })),
])

const nothing: AccessMeaning = { decision: 'nothing', endsSessions: false, cause: 'none' }

/**
 * The one table that says what each event type means for access. A type that is not in it means
 * nothing.
 */
export function accessMeaning(event: {
  readonly type: string
  readonly payload: object
}): AccessMeaning {
  return table.get(event.type)?.(event.payload) ?? nothing
}

function row<Payload extends object>(
  type: EventType<Payload>,
  meaning: (payload: Payload) => AccessMeaning,
): [string, (payload: object) => AccessMeaning] {
  return [type.uri, meaning as (payload: object) => AccessMeaning]
}
