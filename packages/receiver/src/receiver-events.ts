import type { Notice, SecurityEvent, SetErrorCode, StreamConfiguration } from '@drawbridge/schema'

/**
 * What a Receiver tells those who watch; `docs/events.md` lists it. `at` is in milliseconds since
 * 1970.
 */
export interface ReceiverEvents {
  /** The stream exists: it was created now, or found. */
  'stream:ready': {
    readonly at: number
    readonly stream: StreamConfiguration
    readonly created: boolean
  }
  /** The Transmitter changed the status of the stream. */
  'stream:updated': { readonly at: number; readonly status: string }
  /** A verification event came over the stream, asked for or sent by the Transmitter itself. */
  'stream:verified': { readonly at: number; readonly stream_id: string }
  /** The SET holds; its handlers run next. */
  'set:verified': { readonly at: number; readonly event: SecurityEvent }
  /** Its handlers are done; the SET is acknowledged next. */
  'set:handled': { readonly at: number; readonly event: SecurityEvent }
  /** A SET that was handled before came again and was acknowledged again. */
  'set:repeated': { readonly at: number; readonly iss: string; readonly jti: string }
  /**
   * The SET holds, and its subject has a member that the Transmitter calls critical and nobody here
   * can process: it was acknowledged, and no handler saw it.
   */
  'set:discarded': { readonly at: number; readonly jti: string; readonly member: string }
  /** The SET does not hold; the Transmitter was told `err`. */
  'set:rejected': { readonly at: number; readonly err: SetErrorCode; readonly cause: unknown }
  /** A handler failed or the keys could not be had: the SET was not acknowledged and comes again. */
  'set:unfinished': { readonly at: number; readonly cause: unknown }
  /** Something about a SET was put right. */
  'set:noticed': { readonly at: number; readonly jti: string; readonly notice: Notice }
  /** The Transmitter could not be reached, or refused; it is tried again after `retryInMs`. */
  'peer:failed': { readonly at: number; readonly cause: unknown; readonly retryInMs: number }
}
