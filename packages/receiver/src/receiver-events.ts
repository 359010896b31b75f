import type { Notice, SecurityEvent, SetErrorCode, StreamConfiguration } from '@drawbridge/schema'

/** What every event has. */
export interface Happened {
  /** Milliseconds since 1970. */
  readonly at: number
  /** The name of the Transmitter it is about: by default its issuer. */
  readonly transmitter: string
}

/** What a Receiver tells those who watch; `docs/events.md` lists it. */
export interface ReceiverEvents {
  /** The stream exists: it was created now, or found. */
  'stream:ready': Happened & {
    readonly stream: StreamConfiguration
    readonly created: boolean
  }
  /** The Transmitter changed the status of the stream. */
  'stream:updated': Happened & { readonly status: string }
  /** A verification event came over the stream, asked for or sent by the Transmitter itself. */
  'stream:verified': Happened & { readonly stream_id: string }
  /** The SET holds; its handlers run next. */
  'set:verified': Happened & { readonly event: SecurityEvent }
  /** Its handlers are done; the SET is acknowledged next. */
  'set:handled': Happened & { readonly event: SecurityEvent }
  /** A SET that was handled before came again and was acknowledged again. */
  'set:repeated': Happened & { readonly iss: string; readonly jti: string }
  /**
   * The SET holds, and its subject has a member that the Transmitter calls critical and nobody here
   * can process: it was acknowledged, and no handler saw it.
   */
  'set:discarded': Happened & { readonly jti: string; readonly member: string }
  /** The SET does not hold; the Transmitter was told `err`. */
  'set:rejected': Happened & { readonly err: SetErrorCode; readonly cause: unknown }
  /** A handler failed or the keys could not be had: the SET was not acknowledged and comes again. */
  'set:unfinished': Happened & { readonly cause: unknown }
  /** Something about a SET was put right. */
  'set:noticed': Happened & { readonly jti: string; readonly notice: Notice }
  /** The Transmitter could not be reached, or refused; it is tried again after `retryInMs`. */
  'peer:failed': Happened & { readonly cause: unknown; readonly retryInMs: number }
}

/** Tells what happens with one Transmitter. */
export interface ConnectionEmitter {
  emit<Name extends keyof ReceiverEvents>(
    name: Name,
    event: Omit<ReceiverEvents[Name], 'transmitter'>,
  ): void
}
