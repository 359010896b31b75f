import type { StreamConfiguration, StreamStatus, Subject } from '@drawbridge/schema'
import type { StreamClient } from './stream-client.ts'

/**
 * What an application can do with its stream at a Transmitter. Every method rejects with PeerError:
 * `ERR_PEER_UNREACHABLE` where trying again can help, `ERR_PEER_ANSWER` where the Transmitter
 * refuses or does not offer it.
 *
 * @see OpenID SSF 1.0, "Management"
 */
export interface OwnStream {
  /** Reads the configuration; undefined where the Transmitter has no such stream any more. */
  read(options?: WithSignal): Promise<StreamConfiguration | undefined>
  /** Reads the status. */
  readStatus(options?: WithSignal): Promise<StreamStatus>
  /**
   * Enables, pauses or disables the stream.
   *
   * @returns The status as it is then; undefined where the Transmitter has not decided yet
   */
  updateStatus(
    change: Pick<StreamStatus, 'status' | 'reason'>,
    options?: WithSignal,
  ): Promise<StreamStatus | undefined>
  /** Declares interest in a subject. `verified` says whether the application has verified it. */
  addSubject(
    subject: Subject,
    options?: WithSignal & { readonly verified?: boolean },
  ): Promise<void>
  /** Declares that a subject is of no interest. Events about it may still come for a while. */
  removeSubject(subject: Subject, options?: WithSignal): Promise<void>
  /**
   * Asks for a Verification event; `receiver.verified()` or the event `stream:verified` tells when
   * it has come. False where the Transmitter offers none.
   */
  requestVerification(options?: WithSignal): Promise<boolean>
  /** Deletes the stream. What waits there is lost. False when it was gone. */
  delete(options?: WithSignal): Promise<boolean>
}

/** How a call is broken off. */
export interface WithSignal {
  readonly signal?: AbortSignal
}

/** Binds the calls of a Transmitter to one of its streams. */
export function createOwnStream(
  client: StreamClient,
  stream_id: string,
  /** Makes the `state` of a verification request. */
  expectVerification: () => string,
): OwnStream {
  return {
    read: ({ signal } = {}) => client.readStream(stream_id, signal),
    readStatus: ({ signal } = {}) => client.readStatus(stream_id, signal),
    updateStatus: ({ status, reason }, { signal } = {}) =>
      client.updateStatus(
        { stream_id, status, ...(reason === undefined ? {} : { reason }) },
        signal,
      ),
    addSubject: (subject, { signal, verified } = {}) =>
      client.addSubject(
        { stream_id, subject, ...(verified === undefined ? {} : { verified }) },
        signal,
      ),
    removeSubject: (subject, { signal } = {}) =>
      client.removeSubject({ stream_id, subject }, signal),
    requestVerification: ({ signal } = {}) =>
      client.requestVerification(stream_id, expectVerification(), signal),
    delete: ({ signal } = {}) => client.deleteStream(stream_id, signal),
  }
}

/** What a Receiver found when it looked why nothing comes. */
export interface Resumed {
  /** The status as it was found. */
  readonly found: StreamStatus
  /** Whether the Transmitter was asked to go on. */
  readonly asked: boolean
}

/** Reads the status of a stream and asks the Transmitter once to go on with a paused one. */
export async function resumeIfPaused(stream: OwnStream, signal: AbortSignal): Promise<Resumed> {
  const found = await stream.readStatus({ signal })
  if (found.status !== 'paused') return { found, asked: false }
  await stream.updateStatus({ status: 'enabled' }, { signal })
  return { found, asked: true }
}
