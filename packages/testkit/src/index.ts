export { manualClock, settled, type ManualClock } from './clock/manual-clock.ts'
export { inboxContract, type InboxCase } from './inbox-contract/inbox-contract.ts'
export {
  accept,
  answerStatus,
  closeConnection,
  drip,
  garbage,
  hang,
  page,
  redirect,
  refuse,
  tooManyRequests,
  unavailable,
  type PushAnswer,
} from './receiver/faults.ts'
export type { ReceivedSet } from './receiver/received-set.ts'
export {
  createTestReceiver,
  type ReceiverRecord,
  type TestReceiver,
  type TestReceiverOptions,
} from './receiver/test-receiver.ts'
export type { StoreCase } from './store-contract/store-case.ts'
export { transmitterStoreContract } from './store-contract/transmitter-store-contract.ts'
export type { TestAlgorithm } from './transmitter/test-keys.ts'
export type { TestStream } from './transmitter/test-streams.ts'
export {
  createTestTransmitter,
  type Sent,
  type SetChanges,
  type TestRequest,
  type TestTransmitter,
  type TestTransmitterOptions,
} from './transmitter/test-transmitter.ts'
