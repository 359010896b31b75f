export { isLoopback, isPublicAddress } from './public-address.ts'
export {
  createSocketGuard,
  type LookupAll,
  type OutgoingRules,
  type SocketGuard,
} from './socket-guard.ts'
