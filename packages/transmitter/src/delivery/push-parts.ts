import type { OutboxRow } from '../store/transmitter-store.ts'
import type { QueueContext } from './delivery-context.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { PushHealth } from './push-health.ts'
import type { PushReader } from './push-reader.ts'
import type { SettleLater } from './settle-later.ts'
import type { Answer } from './verdict.ts'

/** What the parts of a push queue share. */
export interface PushParts extends QueueContext {
  readonly streamId: string
  readonly stopping: AbortSignal
  readonly lanes: Lanes
  readonly health: PushHealth
  readonly settled: SettleLater
  readonly reader: PushReader
  readonly post: (set: string) => Promise<Answer>
  readonly delivered: (at: number) => void
  /** The attempts. They never reject. */
  readonly underWay: Set<Promise<void>>
  /** Lanes that wait for another attempt, each with what ends its wait. */
  readonly waiting: Map<Lane, () => void>
  /** Lanes whose first SET was refused, and whose fault that is will show, each with its end. */
  readonly setAside: Map<Lane, SetAside>
  /** Starts what can be started. Called whenever something has changed. */
  readonly pump: () => void
  /** Until when nothing is sent, whatever the lane, and what ends that. */
  hold: { readonly until: number; readonly end: () => void } | undefined
}

/** A refused SET of which it is not sure yet that it is to blame. */
export interface SetAside {
  readonly row: OutboxRow
  readonly reason: string
  /** Buries it when nothing has spoken against it. */
  readonly giveUp: () => void
}
