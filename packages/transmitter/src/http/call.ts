import type { Delivery } from '../delivery/delivery.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { StreamManagement } from '../streams/stream-management.ts'

/** What every action can use. */
export interface ApiContext {
  readonly management: StreamManagement
  readonly delivery: Delivery
  readonly keys: KeyRing
}

/** A request that anybody may make. */
export interface PublicCall extends ApiContext {
  readonly request: Request
}

/** A request of a Receiver, its body read. */
export interface Call extends PublicCall {
  readonly receiver: ReceiverIdentity
  readonly query: URLSearchParams
  /** The parsed JSON body of a POST, a PATCH or a PUT. */
  readonly body: unknown
  /** What follows the route's name in the path: the stream of a poll. */
  readonly streamId: string
}
