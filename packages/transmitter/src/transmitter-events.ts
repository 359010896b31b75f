import type { StreamStatusValue } from '@drawbridge/schema'
import type { SigningAlgorithm } from './keys/signing-algorithm.ts'

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
  /** A subject was added to a stream, or removed from it. Which one is not told. */
  'subject:added': AboutStream
  'subject:removed': AboutStream
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
  /** A SET that waited may not leave its stream any more: it was taken off. */
  'set:withheld': AboutSet
  /** A push did not succeed and will be repeated. `reason` is text of the peer, made printable. */
  'delivery:failed': AboutSet & {
    readonly reason: string
    /** How many attempts of this SET have failed. */
    readonly attempt: number
    readonly retryInMs: number
  }
  /** Events that waited were dropped: they were too old, or too many. */
  'events:dropped': AboutStream & { readonly count: number; readonly because: 'age' | 'rows' }
  /** A key was made that follows another. It is published, and signs from `active_from` on. */
  'key:rotated': Happened & {
    readonly kid: string
    readonly alg: SigningAlgorithm
    /** In milliseconds since 1970. */
    readonly active_from: number
  }
  /** A request was answered with 500. */
  'request:failed': Happened & { readonly cause: unknown }
  /** The store failed outside a request. What is concerned stays in the store. */
  'storage:failed': Happened & { readonly cause: unknown }
  /** Something that is done now and then failed, and will be tried again. */
  'upkeep:failed': Happened & {
    /** Which: `keys`, `retention`, `subject changes`, `inactivity`, `verification`. */
    readonly task: string
    readonly cause: unknown
    readonly retryInMs: number
  }
}
