import { poll, push } from '@drawbridge/schema'

/** A stream as a test Transmitter has it. */
export interface TestStream {
  readonly stream_id: string
  /** What the Receiver sent, and what was made of it: a Stream Configuration. */
  readonly configuration: Readonly<Record<string, unknown>>
  readonly delivery: { readonly method: string; readonly endpoint_url: string }
  readonly authorizationHeader: string | undefined
  readonly status: string
  /** SETs that were sent and not acknowledged, by `jti`. */
  readonly offered: Map<string, string>
}

/** What a test Transmitter answers to a management request. */
export interface ManagementAnswer {
  readonly status: number
  readonly body?: unknown
}

/** A management request that was read. */
export interface ManagementRequest {
  readonly method: string
  /** `/streams`, `/status`, `/subjects:add`, `/subjects:remove` or `/verify`. */
  readonly path: string
  readonly streamId: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

/** The streams of a test Transmitter. */
export interface TestStreams {
  list(): readonly TestStream[]
  find(streamId: string | undefined): TestStream | undefined
  /** Answers a management request; undefined where there is no such route. */
  answer(request: ManagementRequest): ManagementAnswer | undefined
}

/**
 * Makes the streams of a test Transmitter.
 *
 * @param verify Sends a Verification event over a stream
 */
export function createTestStreams(
  issuer: string,
  audience: string,
  verify: (stream: TestStream, state: unknown) => void,
): TestStreams {
  const streams = new Map<string, TestStream>()
  let made = 0
  const find: TestStreams['find'] = (streamId) => streams.get(streamId ?? '')

  const configure = (stream_id: string, body: ManagementRequest['body']): TestStream => {
    const asked = (body['delivery'] ?? {}) as Partial<Record<string, string>>
    const method = asked['method'] === push ? push : poll
    const own = `${issuer}/poll/${stream_id}`
    const delivery = { method, endpoint_url: method === push ? (asked['endpoint_url'] ?? '') : own }
    const header = asked['authorization_header']
    const events = body['events_requested'] ?? []
    return {
      stream_id,
      configuration: {
        ...body,
        stream_id,
        iss: issuer,
        aud: audience,
        events_requested: events,
        events_delivered: events,
        delivery: {
          ...delivery,
          ...(header === undefined ? {} : { authorization_header: header }),
        },
      },
      delivery,
      authorizationHeader: header,
      status: find(stream_id)?.status ?? 'enabled',
      offered: find(stream_id)?.offered ?? new Map<string, string>(),
    }
  }
  const keep = (stream: TestStream): ManagementAnswer => {
    streams.set(stream.stream_id, stream)
    return { status: 200, body: stream.configuration }
  }
  const statusOf = ({ stream_id, status }: TestStream): ManagementAnswer => {
    return { status: 200, body: { stream_id, status } }
  }

  const answerAbout = (
    stream: TestStream,
    { method, path, body }: ManagementRequest,
  ): ManagementAnswer | undefined => {
    const { stream_id, configuration } = stream
    switch (`${method} ${path}`) {
      case 'GET /streams':
        return { status: 200, body: configuration }
      case 'PATCH /streams':
        return keep(configure(stream_id, { ...configuration, ...body }))
      case 'PUT /streams':
        return keep(configure(stream_id, body))
      case 'DELETE /streams':
        streams.delete(stream_id)
        return { status: 204 }
      case 'GET /status':
        return statusOf(stream)
      case 'POST /status': {
        const changed = { ...stream, status: String(body['status']) }
        streams.set(stream_id, changed)
        return statusOf(changed)
      }
      case 'POST /subjects:add':
        return { status: 200 }
      case 'POST /subjects:remove':
        return { status: 204 }
      case 'POST /verify':
        verify(stream, body['state'])
        return { status: 204 }
      default:
        return undefined
    }
  }

  return {
    find,
    list: () => [...streams.values()],
    answer: (request) => {
      const { method, path, streamId } = request
      if (path === '/streams' && method === 'POST') {
        const { body } = keep(configure(`stream-${++made}`, request.body))
        return { status: 201, body }
      }
      if (path === '/streams' && method === 'GET' && streamId === undefined) {
        return { status: 200, body: Array.from(streams.values(), (one) => one.configuration) }
      }
      const stream = find(streamId)
      return stream ? answerAbout(stream, request) : { status: 404, body: { err: 'not_found' } }
    },
  }
}
