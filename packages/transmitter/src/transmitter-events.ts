import type { StreamStatusValue } from '@drawbridge/schema'

/** When something happened, in milliseconds since 1970. */
export interface Happened {
  readonly at: number
}

export interface AboutStream extends Happened {
  readonly stream_id: string
}

export interface AboutSet extends AboutStream {
  readonly jti: string
}

/** What a Transmitter lets one watch. No event holds a token, a key or a subject. */
export interface TransmitterEvents {
  'stream:created': AboutStream & { readonly receiver: string }
  /** The status or the configuration was changed. */
  'stream:updated': AboutStream & { readonly status: StreamStatusValue; readonly reason?: string }
  'stream:deleted': AboutStream
  /** An event is durable for every stream that wants it. */
  'event:recorded': Happened & {
    /** The event type URI. */
    readonly type: string
    readonly txn: string
    readonly deliveries: readonly { readonly stream_id: string; readonly jti: string }[]
  }
  /** A Receiver has taken or acknowledged a SET. */
  'set:delivered': AboutSet
  /** A Receiver refused a SET: it is a dead letter. `reason` is text of the peer, made printable. */
  'set:refused': AboutSet & { readonly reason: string }
  /** A push did not succeed and will be repeated. `reason` is text of the peer, made printable. */
  'delivery:failed': AboutSet & {
    readonly reason: string
    /** How many attempts of this SET have failed. */
    readonly attempt: number
    readonly retryInMs: number
  }
  /** A request was answered with 500. */
  'request:failed': Happened & { readonly cause: unknown }
  /** The store failed outside a request. What is concerned stays in the store. */
  'storage:failed': Happened & { readonly cause: unknown }
}
