import { StreamError, type VerificationRequest } from '@drawbridge/schema'
import type { ReceiverIdentity } from '../receiver-identity.ts'
import { sendVerification } from './send-verification.ts'
import { findOwnStream, type StreamManagement } from './stream-management.ts'

/**
 * Puts a Verification Event on a Receiver's stream as it asked, with the `state` it sent along.
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
  checkRate(management, stream_id, management.settings.clock.now())
  await sendVerification(management, stream, state)
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
