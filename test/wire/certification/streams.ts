import type { Answer, Json, OpenedSet, Peer } from './peer.ts'

export const pushMethod = 'urn:ietf:rfc:8935'
export const pollMethod = 'urn:ietf:rfc:8936'
export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
export const credentialChange =
  'https://schemas.openid.net/secevent/caep/event-type/credential-change'
export const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
export const streamUpdated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated'

/** What a poll is answered. */
export interface Polled {
  readonly sets: Readonly<Record<string, string>>
  readonly moreAvailable?: boolean
}

/** One stream of the Receiver, seen from outside. */
export interface PolledStream {
  readonly stream_id: string
  readonly configuration: Json
  poll(body?: object): Promise<Answer>
  /** Polls until there is nothing more, acknowledges all, and returns what came, in order. */
  drain(): Promise<readonly OpenedSet[]>
  status(status: string): Promise<Answer>
  verify(state?: string): Promise<Answer>
  query: string
}

/** Creates a poll stream and takes what it begins with, if anything. */
export async function createPolled(peer: Peer, body: object = {}): Promise<PolledStream> {
  const created = await peer.ask('POST', 'configuration_endpoint', {
    body: { events_requested: [sessionRevoked, credentialChange], ...body },
  })
  const stream = polledStream(peer, created.json)
  await stream.drain()
  return stream
}

/** Makes the handle of a poll stream whose configuration is known. */
export function polledStream(peer: Peer, configuration: Json): PolledStream {
  const stream_id = String(configuration['stream_id'])
  const { endpoint_url } = configuration['delivery'] as { readonly endpoint_url: string }
  const poll = (body: object = {}): Promise<Answer> =>
    peer.ask('POST', endpoint_url, { body: { returnImmediately: true, ...body } })
  return {
    stream_id,
    configuration,
    query: `?stream_id=${stream_id}`,
    poll,
    drain: async () => {
      const opened: OpenedSet[] = []
      let ack: string[] = []
      for (;;) {
        const { sets } = (await poll({ ack })).json as unknown as Polled
        ack = Object.keys(sets)
        if (ack.length === 0) return opened
        for (const set of Object.values(sets)) opened.push(await peer.open(set))
      }
    },
    status: (status) => peer.ask('POST', 'status_endpoint', { body: { stream_id, status } }),
    verify: (state) =>
      peer.ask('POST', 'verification_endpoint', {
        body: { stream_id, ...(state === undefined ? {} : { state }) },
      }),
  }
}

/** The event of each SET, without those that announce a stream's status. */
export const eventsOf = (sets: readonly OpenedSet[]): Json[] =>
  sets.flatMap(({ claims: { events } }) =>
    Object.entries(events)
      .filter(([type]) => type !== streamUpdated)
      .map(([, event]) => event),
  )
