import { backoffMs, type Backoff, type Clock } from '@drawbridge/core'
import type { StreamConfiguration } from '@drawbridge/schema'
import type { Verifications } from '../handling/verifications.ts'
import type { ConnectionEmitter } from '../receiver-events.ts'
import type { KnownTransmitter } from './discover.ts'
import { ensureStream, type WantedStream } from './ensure-stream.ts'
import type { Peer } from './peer.ts'
import { createStreamClient, type StreamClient } from './stream-client.ts'

/** What {@link connect} needs. */
export interface ConnectParts {
  readonly peer: Peer
  /** Finds the Transmitter. */
  readonly transmitter: () => Promise<KnownTransmitter>
  readonly wanted: WantedStream
  readonly verifications: Verifications
  /** Told of the stream as soon as there is one: SETs are taken from then on. */
  readonly found: (stream: StreamConfiguration) => void
  readonly emitter: ConnectionEmitter
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Finds the Transmitter, finds or creates the stream, and asks for verification. Each step is tried
 * again by itself while the Transmitter cannot be reached or asks for patience: a verification that
 * has to wait holds up no SET.
 *
 * @throws PeerError when the Transmitter is not who it should be, or refuses
 */
export async function connect(parts: ConnectParts, signal: AbortSignal): Promise<void> {
  const { peer, transmitter, wanted, verifications, found, emitter, clock } = parts
  const { client, stream } = await atLast(parts, signal, async () => {
    const streams: StreamClient = createStreamClient(peer, await transmitter())
    const ensured = await ensureStream(streams, wanted, signal)
    emitter.emit('stream:ready', { at: clock.now(), ...ensured })
    return { client: streams, stream: ensured.stream }
  })
  found(stream)
  const state = verifications.expect(stream.stream_id)
  await atLast(parts, signal, () => client.requestVerification(stream.stream_id, state, signal))
}

const backoff: Backoff = { firstMs: 200, longestMs: 30_000 }

async function atLast<Result>(
  { emitter, clock, random }: ConnectParts,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await work()
    } catch (cause) {
      signal.throwIfAborted()
      const { name, retryAfterMs } = cause as { name?: unknown; retryAfterMs?: number }
      if (name !== 'PeerUnavailableError') throw cause
      const retryInMs = retryAfterMs ?? backoffMs(backoff, failures, random())
      emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs })
      await clock.sleep(retryInMs, signal)
    }
  }
}
