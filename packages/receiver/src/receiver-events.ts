import type { Emitter } from '@drawbridge/core'
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
  /** Something about the stream is not as it should be; it is used all the same. */
  'stream:noticed': Happened & { readonly notice: Notice }
  /** The Transmitter changed the status of the stream. */
  'stream:updated': Happened & { readonly status: string }
  /**
   * The stream was found paused, and the Transmitter was asked to go on. `reason` is its text: show
   * it as text only.
   */
  'stream:resumed': Happened & { readonly reason: string }
  /** Nothing came for `silentAfterSeconds`; `heardAt` is in milliseconds since 1970. */
  'stream:silent': Happened & { readonly heardAt: number }
  /** A silent stream is heard again. */
  'stream:returned': Happened & { readonly silentForMs: number }
  /** A verification event came over the stream, asked for or sent by the Transmitter itself. */
  'stream:verified': Happened & { readonly stream_id: string }
  /** The SET holds; its handlers run next. */
  'set:verified': Happened & { readonly event: SecurityEvent }
  /** Its handlers are done; the SET is acknowledged next. */
  'set:handled': Happened & { readonly event: SecurityEvent }
  /** The SET is kept in the inbox; it is acknowledged next, and its handlers run soon. */
  'set:stored': Happened & { readonly iss: string; readonly jti: string }
  /** Its handlers failed every time: the SET is a dead letter of the inbox. */
  'set:buried': Happened & {
    readonly iss: string
    readonly jti: string
    readonly attempts: number
  }
  /** The inbox could not be read or written outside the taking in of a SET; it is tried again. */
  'inbox:failed': Happened & { readonly cause: unknown }
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

/** Makes the emitter of one Transmitter. */
export const connectionEmitter = (
  emitter: Emitter<ReceiverEvents>,
  transmitter: string,
): ConnectionEmitter => ({
  emit: (name, event) =>
    emitter.emit(name, { transmitter, ...event } as ReceiverEvents[typeof name]),
})
