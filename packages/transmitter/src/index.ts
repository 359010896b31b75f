export { memoryStore } from './store/memory-store.ts'
export { permitAll, type EventToPermit, type PermitEvent } from './permit-event.ts'
export type { ReceiverIdentity } from './receiver-identity.ts'
export type { RecordedDelivery } from './outbox.ts'
export type { KeyOptions } from './keys/key-options.ts'
export type { RotatedKey, RotationRequest } from './keys/key-ring.ts'
export type { PublicJwk, Signer } from './keys/signer.ts'
export type { SigningAlgorithm } from './keys/signing-algorithm.ts'
export type {
  PollOptions,
  PushOptions,
  SubjectOptions,
  TransmitterOptions,
} from './transmitter-options.ts'
export { firstOf, type Authenticate } from './authenticate/authenticate.ts'
export { introspection, type IntrospectionOptions } from './authenticate/introspection.ts'
export { jwtAccessTokens, type JwtAccessTokenOptions } from './authenticate/jwt-access-tokens.ts'
export type { AccessTokenClaims, ReceiverOf, TokenReceiver } from './authenticate/receiver-of.ts'
export { staticTokens, type StaticToken } from './authenticate/static-tokens.ts'
export type {
  Backlog,
  DeadLetter,
  DeliveredEntry,
  DeliveredWanted,
  EntryKind,
  IssuerStore,
  OutboxEntry,
  OutboxRow,
  RowLimits,
  RowsWanted,
  StatusChange,
  StoredDelivery,
  StoredKey,
  StreamRecord,
  SubjectChange,
  SubjectFound,
  SubjectIndexEntry,
  SubjectState,
  TransmitterStore,
} from './store/transmitter-store.ts'
export type { TransmitOptions, Transmitted } from './transmit/transmit.ts'
export { createTransmitter, type Transmitter } from './transmitter.ts'
export type { AboutSet, AboutStream, Happened, TransmitterEvents } from './transmitter-events.ts'
export type {
  InactivityOptions,
  LifeOptions,
  RetentionOptions,
  VerificationOptions,
} from './life-options.ts'
export type {
  DeadLetterOperations,
  DeadLetterReport,
  DeadLettersWanted,
} from './operations/dead-letter-operations.ts'
export type { Health, TransmitterHealth } from './operations/health.ts'
export type { Operations } from './operations/operations.ts'
export type { Replay, Replayed, ReplayOptions } from './operations/replay.ts'
export type { StreamOperations, StreamReport } from './operations/stream-operations.ts'
export type { StaticDelivery, StaticStream } from './static-stream.ts'
export type { StatusToSet } from './streams/set-status.ts'
export type { DeliveryHealth } from './delivery/delivery.ts'
export type { DefaultSubjects } from './streams/subjects-judgement.ts'
