export { isLoopback, isPublicAddress } from '../public-address.ts'
export { createSocketGuard, type LookupAll, type SocketGuard } from './socket-guard.ts'
export { type OutgoingRules } from '../address-rules.ts'
