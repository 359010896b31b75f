import type { Clock, Emitter } from '@drawbridge/core'
import type { SigningKey } from '../keys/key-ring.ts'
import type { Settings } from '../settings.ts'
import type { TransmitterStore } from '../store/transmitter-store.ts'
import type { TransmitterEvents } from '../transmitter-events.ts'

/** What every queue of a Transmitter shares. */
export interface DeliveryContext {
  readonly store: TransmitterStore
  readonly settings: Settings
  readonly clock: Clock
  readonly emitter: Emitter<TransmitterEvents>
  /** The key that signs now. */
  readonly key: () => SigningKey
}
