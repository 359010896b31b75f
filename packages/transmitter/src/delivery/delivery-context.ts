import type { Clock, Emitter } from '@drawbridge/core'
import type { Minter } from '../minter.ts'
import type { Settings } from '../settings.ts'
import type { IssuerStore } from '../store/transmitter-store.ts'
import type { TransmitterEvents } from '../transmitter-events.ts'
import type { Timetable } from './timetable.ts'

/** What the delivery of a Transmitter needs. */
export interface DeliveryContext extends Minter {
  readonly store: IssuerStore
  readonly settings: Settings
  readonly clock: Clock
  readonly emitter: Emitter<TransmitterEvents>
  /** Looks once more, before each delivery, whether the Receiver may still learn of a row. */
  readonly mayLeave: (streamId: string, claims: string) => Promise<boolean>
}

/** What every queue of a Transmitter shares. */
export interface QueueContext extends DeliveryContext {
  readonly timetable: Timetable
}
