import { createLanes } from '@drawbridge/core'
import {
  isStreamStatusValue,
  PeerError,
  poll,
  readStreamConfiguration,
  type ReceiverSupplied,
  type StreamConfiguration,
  type StreamStatus,
  type StreamStatusValue,
  type Subject,
} from '@drawbridge/schema'
import type { KnownTransmitter } from './discover.ts'
import type { Peer, PeerAnswer, PeerRequest } from './peer.ts'

/**
 * The stream management calls of one Transmitter: one request at a time. What a Transmitter does
 * not offer, by its metadata, is a PeerError.
 *
 * @see OpenID SSF 1.0, "Management"
 */
export interface StreamClient {
  listStreams(signal?: AbortSignal): Promise<readonly StreamConfiguration[]>
  /** The stream, or undefined when there is none. */
  readStream(streamId: string, signal?: AbortSignal): Promise<StreamConfiguration | undefined>
  createStream(request: ReceiverSupplied, signal?: AbortSignal): Promise<StreamConfiguration>
  /** Changes what is sent, and leaves the rest. */
  updateStream(update: StreamChange, signal?: AbortSignal): Promise<StreamConfiguration>
  /** Deletes what is not sent. */
  replaceStream(replacement: StreamChange, signal?: AbortSignal): Promise<StreamConfiguration>
  /** False when there was none. */
  deleteStream(streamId: string, signal?: AbortSignal): Promise<boolean>
  readStatus(streamId: string, signal?: AbortSignal): Promise<StreamStatus>
  /** The status as the Transmitter left it; undefined where it has not decided yet (202). */
  updateStatus(change: StreamStatus, signal?: AbortSignal): Promise<StreamStatus | undefined>
  addSubject(request: SubjectOfStream, signal?: AbortSignal): Promise<void>
  removeSubject(request: SubjectOfStream, signal?: AbortSignal): Promise<void>
  /** Asks for a Verification event. False when the Transmitter offers none. */
  requestVerification(streamId: string, state: string, signal?: AbortSignal): Promise<boolean>
}

/** What a stream is to become. */
export type StreamChange = ReceiverSupplied & { readonly stream_id: string }

/** A subject of a stream. */
export interface SubjectOfStream {
  readonly stream_id: string
  readonly subject: Subject
  /** Whether the Receiver has verified the subject; for adding. */
  readonly verified?: boolean
}

type Endpoint =
  | 'configuration_endpoint'
  | 'status_endpoint'
  | 'add_subject_endpoint'
  | 'remove_subject_endpoint'
  | 'verification_endpoint'

/** Makes the client of a Transmitter whose metadata is known. */
export function createStreamClient(peer: Peer, transmitter: KnownTransmitter): StreamClient {
  const { issuer } = transmitter
  const pollUrls = new Map<string, string>()
  const read = (body: unknown): StreamConfiguration => {
    const stream = readStreamConfiguration(withPollUrl(body, pollUrls), issuer)
    if (stream.delivery.method === poll) {
      pollUrls.set(stream.stream_id, stream.delivery.endpoint_url)
    }
    return stream
  }
  // Some Transmitters answer the second of two at a time with 409, and none is faster for it.
  const lanes = createLanes()
  const request = (one: PeerRequest): Promise<PeerAnswer> =>
    lanes.run(issuer, () => peer.request(one))
  const endpoint = (name: Endpoint): string => {
    const found = transmitter[name]
    if (found !== undefined) return found
    throw new PeerError('ERR_PEER_ANSWER', `the Transmitter offers no "${name}"`)
  }
  const url = endpoint('configuration_endpoint')
  const withId = (base: string, streamId: string): string => {
    const target = new URL(base)
    target.searchParams.set('stream_id', streamId)
    return target.href
  }
  const readStream: StreamClient['readStream'] = async (streamId, signal) => {
    const answer = await request({ method: 'GET', url: withId(url, streamId), signal })
    if (answer.status === 404) return undefined
    expect(answer, [200], 'reading the stream')
    return read(answer.body)
  }
  const change = async (
    method: 'PATCH' | 'PUT',
    body: StreamChange,
    signal: AbortSignal | undefined,
  ): Promise<StreamConfiguration> => {
    const answer = await request({ method, url, body, signal })
    expect(answer, [200, 202], method === 'PUT' ? 'replacing the stream' : 'updating the stream')
    // 202: it is accepted and not done yet; what it is now is what is read.
    const stream = answer.status === 202 ? await readStream(body.stream_id, signal) : undefined
    return stream ?? read(answer.body)
  }

  return {
    readStream,
    updateStream: (update, signal) => change('PATCH', update, signal),
    replaceStream: (replacement, signal) => change('PUT', replacement, signal),
    async listStreams(signal) {
      const answer = await request({ method: 'GET', url, signal })
      expect(answer, [200], 'reading the streams')
      // Drafts gave a single object (COMPAT-1-18).
      return (Array.isArray(answer.body) ? answer.body : [answer.body]).map(read)
    },
    async createStream(body, signal) {
      const answer = await request({ method: 'POST', url, body, signal })
      expect(answer, [201, 200], 'creating the stream')
      try {
        return read(answer.body)
      } catch (error) {
        // A stream of somebody else's name is not used; nothing but this follows.
        const { stream_id } = (answer.body ?? {}) as { stream_id?: unknown }
        if (typeof stream_id === 'string') {
          await request({ method: 'DELETE', url: withId(url, stream_id), signal }).catch(ignore)
        }
        throw error
      }
    },
    async deleteStream(streamId, signal) {
      const answer = await request({ method: 'DELETE', url: withId(url, streamId), signal })
      if (answer.status === 404) return false
      expect(answer, [204, 200], 'deleting the stream')
      return true
    },
    async readStatus(streamId, signal) {
      const target = withId(endpoint('status_endpoint'), streamId)
      const answer = await request({ method: 'GET', url: target, signal })
      expect(answer, [200], 'reading the status of the stream')
      return readStatusAnswer(answer.body, streamId)
    },
    async updateStatus(body, signal) {
      const target = endpoint('status_endpoint')
      const answer = await request({ method: 'POST', url: target, body, signal })
      expect(answer, [200, 202, 204], 'updating the status of the stream')
      return answer.status === 200 ? readStatusAnswer(answer.body, body.stream_id) : undefined
    },
    async addSubject(body, signal) {
      const target = endpoint('add_subject_endpoint')
      const answer = await request({ method: 'POST', url: target, body, signal })
      expect(answer, [200, 204], 'adding the subject')
    },
    async removeSubject({ stream_id, subject }, signal) {
      const target = endpoint('remove_subject_endpoint')
      const body = { stream_id, subject }
      const answer = await request({ method: 'POST', url: target, body, signal })
      expect(answer, [204, 200], 'removing the subject')
    },
    async requestVerification(stream_id, state, signal) {
      const { verification_endpoint: target } = transmitter
      if (target === undefined) return false
      const body = { stream_id, state }
      const answer = await request({ method: 'POST', url: target, body, signal })
      expect(answer, [204, 200], 'requesting verification')
      return true
    },
  }
}

/** Some peers tell where a stream is polled when it is created, and never again. */
function withPollUrl(body: unknown, known: ReadonlyMap<string, string>): unknown {
  const { stream_id, delivery } = (body ?? {}) as Partial<StreamConfiguration>
  const endpoint_url = stream_id === undefined ? undefined : known.get(stream_id)
  const isMissing = delivery?.method === poll && (delivery.endpoint_url as unknown) === undefined
  if (!isMissing || endpoint_url === undefined) return body
  return { ...(body as object), delivery: { ...delivery, endpoint_url } }
}

const ignore = (): void => undefined

/** Some peers leave `stream_id` out: it is the one that was asked for. */
function readStatusAnswer(body: unknown, stream_id: string): StreamStatus {
  const { status, reason } = (body ?? {}) as Record<string, unknown>
  if (!isStreamStatusValue(status)) {
    throw new PeerError('ERR_PEER_ANSWER', '"status" must be enabled, paused or disabled')
  }
  const known: StreamStatusValue = status
  return { stream_id, status: known, ...(typeof reason === 'string' ? { reason } : {}) }
}

/** The Transmitter allows one stream only, and it is another one. */
export const isConflict = (error: unknown): boolean =>
  (error as { readonly status?: unknown } | null)?.status === 409

/** An answer that is no error of the network and not what was asked for. */
class RefusedError extends PeerError {
  readonly status: number
  constructor(message: string, status: number) {
    super('ERR_PEER_ANSWER', message)
    this.status = status
  }
}

function expect({ status }: PeerAnswer, statuses: readonly number[], what: string): void {
  if (statuses.includes(status)) return
  const advice: Record<number, string> = {
    401: ': the access token is not accepted',
    403: ': the access token lacks the scope, or the Transmitter forbids it',
    404: ': the stream does not exist',
    409: ': the Transmitter allows one stream only, and it has other settings; where it may be replaced, write "replaceOnConflict: true"',
  }
  throw new RefusedError(
    `${what}: the Transmitter answered ${status}${advice[status] ?? ''}`,
    status,
  )
}
