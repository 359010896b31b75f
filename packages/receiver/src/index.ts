export { type Authorize, type AuthorizeRequest, staticToken } from './peer/authorize.ts'
export { type ClientAuthenticationMethod } from './peer/client-authentication.ts'
export { clientCredentials, type ClientCredentialsOptions } from './peer/client-credentials.ts'
export {
  type Handler,
  type HandlerContext,
  type SessionTermination,
  type SessionTerminationHook,
} from './handling/handlers.ts'
export type { Acknowledge } from './handling/accept-set.ts'
export type {
  Inbox,
  InboxDeadLetter,
  InboxEntry,
  InboxRow,
  InboxState,
  SetName,
} from './handling/inbox.ts'
export { memoryInbox } from './handling/memory-inbox.ts'
export { type ReceiverHealth } from './health.ts'
export { type LivenessOptions } from './liveness.ts'
export { type OwnStream, type WithSignal } from './peer/own-stream.ts'
export { type Happened, type ReceiverEvents } from './receiver-events.ts'
export { type ReceiverOptions, type SharedOptions, type TransmitterSettings } from './options.ts'
export { createReceiver, type InboxDeadLetters, type Receiver } from './receiver.ts'
export { type TransmitterEntry, type Transmitters } from './transmitters.ts'
