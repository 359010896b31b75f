import { opaque, StreamError, type VerificationRequest } from '@drawbridge/schema'
import { Verification } from '@drawbridge/schema/ssf'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { findOwnStream, type StreamManagement } from './stream-management.ts'

/**
 * Puts a Verification Event on a stream, whatever its event types: held while the stream is paused,
 * dropped while it is disabled, like any other.
 *
 * @throws StreamError `ERR_STREAM_NOT_FOUND` (404), `ERR_STREAM_RATE` (429)
 * @see OpenID SSF 1.0, "Triggering a Verification Event"
 */
export async function requestVerification(
  management: StreamManagement,
  { stream_id, state }: VerificationRequest,
  receiver: ReceiverIdentity,
): Promise<void> {
  const stream = findOwnStream(management, stream_id, receiver)
  const now = management.settings.clock.now()
  checkRate(management, stream_id, now)
  const event = {
    type: Verification.uri,
    payload: state === undefined ? {} : { state },
    subject: opaque(stream_id),
    txn: crypto.randomUUID(),
    iat: Math.floor(now / 1000),
  }
  await management.outbox.record(event, [stream])
}

function checkRate(
  { settings, verifiedAt }: StreamManagement,
  streamId: string,
  now: number,
): void {
  const intervalSeconds = settings.minVerificationIntervalSeconds
  if (intervalSeconds === undefined) return
  const last = verifiedAt.get(streamId)
  const waitMs = last === undefined ? 0 : last + intervalSeconds * 1000 - now
  if (waitMs > 0) {
    throw new StreamError('ERR_STREAM_RATE', 429, 'the stream was verified a moment ago', {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    })
  }
  verifiedAt.set(streamId, now)
}
