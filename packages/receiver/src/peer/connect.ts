import { backoffMs, type Backoff, type Clock } from '@drawbridge/core'
import type { StreamConfiguration } from '@drawbridge/schema'
import type { Verifications } from '../handling/verifications.ts'
import type { ConnectionEmitter } from '../receiver-events.ts'
import type { KnownTransmitter } from './discover.ts'
import { ensureStream, type EnsureRules } from './ensure-stream.ts'
import { createOwnStream, resumeIfPaused, type OwnStream } from './own-stream.ts'
import type { Peer } from './peer.ts'
import { createStreamClient } from './stream-client.ts'

/** What {@link connect} needs. */
export interface ConnectParts extends EnsureRules {
  readonly peer: Peer
  /** What names this Receiver in `aud`. */
  readonly audience: string
  /** Finds the Transmitter. */
  readonly transmitter: () => Promise<KnownTransmitter>
  readonly verifications: Verifications
  /** Told of the stream as soon as there is one: SETs are taken from then on. */
  readonly found: (stream: StreamConfiguration, own: OwnStream) => void
  readonly emitter: ConnectionEmitter
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Finds the Transmitter, finds or creates the stream, and asks for verification. A stream that is
 * found paused is asked to go on. Each step is tried again by itself while the Transmitter cannot
 * be reached or asks for patience: a verification that has to wait holds up no SET.
 *
 * @throws PeerError when the Transmitter is not who it should be, or refuses
 */
export async function connect(parts: ConnectParts, signal: AbortSignal): Promise<void> {
  const { peer, transmitter, verifications, found, emitter, clock } = parts
  const { own, stream, created } = await atLast(parts, signal, async () => {
    const client = createStreamClient(peer, await transmitter())
    const ensured = await ensureStream(client, parts, signal)
    const { stream_id } = ensured.stream
    const expectVerification = (): string => verifications.expect(stream_id)
    return { own: createOwnStream(client, stream_id, expectVerification), ...ensured }
  })
  emitter.emit('stream:ready', { at: clock.now(), stream, created })
  checkAudience(parts, stream)
  found(stream, own)
  const { status_endpoint } = await transmitter()
  if (!created && status_endpoint !== undefined) await resume(parts, own, signal)
  await atLast(parts, signal, () => own.requestVerification({ signal }))
}

/**
 * Finds a Transmitter whose stream is not managed. Tried again while it cannot be reached.
 *
 * @throws PeerError when the Transmitter is not who it should be
 */
export async function findTransmitter(
  parts: Pick<ConnectParts, 'transmitter' | keyof Patience>,
  signal: AbortSignal,
): Promise<void> {
  await atLast(parts, signal, parts.transmitter)
}

/**
 * Tells that the stream is for somebody else by its `aud`: its SETs will be refused, unless they
 * say another than the stream.
 *
 * @see OpenID SSF 1.0, "Validating a Stream Creation Response"
 */
function checkAudience(
  { audience, emitter, clock }: ConnectParts,
  { aud }: StreamConfiguration,
): void {
  const audiences: readonly unknown[] = [aud ?? []].flat()
  if (audiences.length === 0 || audiences.includes(audience)) return
  const message = '"aud" of the stream is not the "audience" of this Receiver'
  emitter.emit('stream:noticed', { at: clock.now(), notice: { name: 'other-audience', message } })
}

/** What keeps a status from being read or changed keeps nobody from receiving. */
async function resume(
  { emitter, clock }: ConnectParts,
  own: OwnStream,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { found, asked } = await resumeIfPaused(own, signal)
    if (asked) emitter.emit('stream:resumed', { at: clock.now(), reason: found.reason ?? '' })
  } catch (cause) {
    signal.throwIfAborted()
    emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs: 0 })
  }
}

const backoff: Backoff = { firstMs: 200, longestMs: 30_000 }

type Patience = Pick<ConnectParts, 'emitter' | 'clock' | 'random'>

async function atLast<Result>(
  { emitter, clock, random }: Patience,
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
