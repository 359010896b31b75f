import {
  PeerError,
  readStreamConfiguration,
  type StreamConfiguration,
  type ReceiverSupplied,
} from '@drawbridge/schema'
import type { KnownTransmitter } from './discover.ts'
import type { Peer, PeerAnswer } from './peer.ts'

/** The stream management calls of one Transmitter. */
export interface StreamClient {
  listStreams(signal?: AbortSignal): Promise<readonly StreamConfiguration[]>
  createStream(request: ReceiverSupplied, signal?: AbortSignal): Promise<StreamConfiguration>
  updateStream(
    update: ReceiverSupplied & { readonly stream_id: string },
    signal?: AbortSignal,
  ): Promise<StreamConfiguration>
  /** Asks for a Verification event. False when the Transmitter offers none. */
  requestVerification(streamId: string, state: string, signal?: AbortSignal): Promise<boolean>
}

/** Makes the client of a Transmitter whose metadata is known. */
export function createStreamClient(peer: Peer, transmitter: KnownTransmitter): StreamClient {
  const { issuer, configuration_endpoint: url, verification_endpoint } = transmitter
  const read = (body: unknown): StreamConfiguration => readStreamConfiguration(body, issuer)
  return {
    async listStreams(signal) {
      const answer = await peer.request({ method: 'GET', url, signal })
      expect(answer, [200], 'reading the streams')
      // Drafts gave a single object (COMPAT-1-18).
      return (Array.isArray(answer.body) ? answer.body : [answer.body]).map(read)
    },
    async createStream(request, signal) {
      const answer = await peer.request({ method: 'POST', url, body: request, signal })
      expect(answer, [201, 200], 'creating the stream')
      return read(answer.body)
    },
    async updateStream(update, signal) {
      const answer = await peer.request({ method: 'PATCH', url, body: update, signal })
      expect(answer, [200], 'updating the stream')
      return read(answer.body)
    },
    async requestVerification(stream_id, state, signal) {
      if (verification_endpoint === undefined) return false
      const body = { stream_id, state }
      const answer = await peer.request({
        method: 'POST',
        url: verification_endpoint,
        body,
        signal,
      })
      expect(answer, [204, 200], 'requesting verification')
      return true
    },
  }
}

function expect({ status }: PeerAnswer, statuses: readonly number[], what: string): void {
  if (statuses.includes(status)) return
  const advice: Record<number, string> = {
    401: ': the access token is not accepted',
    403: ': the access token lacks the scope, or the Transmitter forbids it',
    404: ': the stream does not exist',
    409: ': the Transmitter allows one stream only, and it has other settings',
  }
  throw new PeerError(
    'ERR_PEER_ANSWER',
    `${what}: the Transmitter answered ${status}${advice[status] ?? ''}`,
  )
}
