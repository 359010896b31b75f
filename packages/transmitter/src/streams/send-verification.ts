import { opaque } from '@drawbridge/schema'
import { Verification } from '@drawbridge/schema/ssf'
import type { StreamManagement } from './stream-management.ts'
import type { Stream } from './stream.ts'

/**
 * Puts a Verification Event on a stream, whatever its event types: held while the stream is paused,
 * dropped while it is disabled, like any other.
 *
 * @param state What a Receiver sent along; one that the Transmitter starts by itself has none
 * @see OpenID SSF 1.0, "Verification Event"
 */
export async function sendVerification(
  { settings, outbox }: Pick<StreamManagement, 'settings' | 'outbox'>,
  stream: Stream,
  state?: string,
): Promise<void> {
  const event = {
    type: Verification.uri,
    payload: state === undefined ? {} : { state },
    subject: opaque(stream.stream_id),
    txn: crypto.randomUUID(),
    iat: Math.floor(settings.clock.now() / 1000),
  }
  await outbox.record(event, [stream])
}
