export { memoryStore } from './store/memory-store.ts'
export { permitAll, type EventToPermit, type PermitEvent } from './permit-event.ts'
export type { Authenticate, ReceiverIdentity } from './receiver-identity.ts'
export type { RecordedDelivery } from './outbox.ts'
export type { SigningAlgorithm } from './keys/key-ring.ts'
export type { PollOptions, PushOptions, TransmitterOptions } from './settings.ts'
export { staticTokens, type StaticToken } from './static-tokens.ts'
export type {
  DeadLetter,
  OutboxEntry,
  OutboxRow,
  StatusChange,
  StoredDelivery,
  StoredKey,
  StreamRecord,
  TransmitterStore,
} from './store/transmitter-store.ts'
export type { TransmitOptions, Transmitted } from './transmit/transmit.ts'
export { createTransmitter, type Transmitter } from './transmitter.ts'
export type { AboutSet, AboutStream, Happened, TransmitterEvents } from './transmitter-events.ts'
