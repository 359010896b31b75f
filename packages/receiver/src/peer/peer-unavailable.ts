import { PeerError } from '@drawbridge/schema'

/** A peer could not be reached or asked for patience: trying again can help. */
export class PeerUnavailableError extends PeerError {
  override name = 'PeerUnavailableError'
  /** How long the peer asked to wait, in milliseconds. */
  readonly retryAfterMs?: number
  constructor(message: string, details: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super('ERR_PEER_UNREACHABLE', message, details)
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }
}
