export { type Authorize, staticToken } from './peer/authorize.ts'
export {
  type Handler,
  type HandlerContext,
  type SessionTermination,
  type SessionTerminationHook,
} from './handling/handlers.ts'
export { type Inbox, memoryInbox } from './handling/inbox.ts'
export { type ReceiverEvents } from './receiver-events.ts'
export { type ReceiverOptions, type SharedOptions, type TransmitterSettings } from './options.ts'
export { createReceiver, type Receiver } from './receiver.ts'
export { type TransmitterEntry, type Transmitters } from './transmitters.ts'
