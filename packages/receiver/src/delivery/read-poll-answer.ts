import { PeerError, readPollResponse } from '@drawbridge/schema'

/** Compact SETs by `jti`, in the order they were sent. */
export type PolledSets = Readonly<Record<string, string>>

/**
 * Reads the answer to a poll.
 *
 * @throws PeerError `ERR_PEER_ANSWER` for anything but 200 with `sets`
 * @see RFC 8936, "Polling HTTP Response"
 */
export function readPollAnswer(status: number, body: unknown): PolledSets {
  if (status !== 200) {
    const advice: Record<number, string> = {
      401: ': the access token is not accepted',
      403: ': the access token lacks the scope',
      404: ': the stream does not exist any more',
    }
    throw new PeerError('ERR_PEER_ANSWER', `a poll was answered ${status}${advice[status] ?? ''}`)
  }
  return readPollResponse(body).sets
}
