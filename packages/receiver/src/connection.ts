import { emptyResponse, type Clock, type Emitter } from '@drawbridge/core'
import {
  poll,
  push,
  unprocessedMember,
  type EventType,
  type StreamConfiguration,
} from '@drawbridge/schema'
import { strict } from '@drawbridge/schema/profiles'
import { pollLoop } from './delivery/poll-loop.ts'
import { createPushEndpoint } from './delivery/push-endpoint.ts'
import { createAcceptSet } from './handling/accept-set.ts'
import type { Handlers } from './handling/handlers.ts'
import type { Inbox } from './handling/inbox.ts'
import { createVerifications } from './handling/verifications.ts'
import { memoUntilFailure } from './memo.ts'
import { knownEventTypes, type TransmitterSettings } from './options.ts'
import { connect } from './peer/connect.ts'
import { discover } from './peer/discover.ts'
import type { WantedStream } from './peer/ensure-stream.ts'
import { createPeer } from './peer/peer.ts'
import type { ConnectionEmitter, ReceiverEvents } from './receiver-events.ts'
import { createVerifySet, remoteKeys, type VerifySet } from './verify-set.ts'

/** What a Receiver does with one Transmitter. */
export interface Connection {
  /** Names the Transmitter in this Receiver. */
  readonly name: string
  readonly issuer: string
  /** The path of the push endpoint; undefined where SETs are polled. */
  readonly pushPath: string | undefined
  /** The stream, once there is one. */
  readonly stream: StreamConfiguration | undefined
  /** Answers a push. */
  push(request: Request): Promise<Response>
  /** Finds the stream or makes it; polling begins then. Idempotent while it runs. */
  start(signal?: AbortSignal): Promise<void>
  /** Resolves when a verification event that was asked for came back. */
  verified(signal?: AbortSignal): Promise<void>
  /** Stops polling and acknowledges what was handled; pushes get 503. `start` begins anew. */
  stop(): Promise<void>
}

/** What all connections of a Receiver share. */
export interface Shared {
  readonly handlers: Handlers
  readonly inbox: Inbox
  readonly emitter: Emitter<ReceiverEvents>
  readonly clock: Clock
  readonly random: () => number
  readonly fetch: typeof globalThis.fetch
  readonly allowInsecureHttp: boolean
}

/** Makes the connection to one Transmitter. Nothing is asked of it before `start` or a push. */
export function createConnection(settings: TransmitterSettings, shared: Shared): Connection {
  const { clock, random, fetch, handlers, inbox } = shared
  const name = settings.name ?? settings.issuer
  const emitter: ConnectionEmitter = {
    emit: (event, about) =>
      shared.emitter.emit(event, { ...about, transmitter: name } as ReceiverEvents[typeof event]),
  }
  const {
    issuer,
    events: eventTypes = knownEventTypes,
    profile = strict,
    algorithms = profile.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'],
  } = settings
  const peer = createPeer({
    issuer,
    authorize: settings.authorize,
    trustedOrigins: settings.trustedOrigins ?? [],
    allowInsecureHttp: shared.allowInsecureHttp,
    fetch,
    clock,
  })
  let running = new AbortController()
  let starting: Promise<void> | undefined
  let polling: Promise<void> | undefined
  let stream: StreamConfiguration | undefined
  const underWay = new Set<Promise<Response>>()
  const verifications = createVerifications(() => stream)

  // Both are needed by whichever comes first, `start` or a push.
  const transmitter = memoUntilFailure(() => discover(peer, issuer, running.signal))
  const verifier = memoUntilFailure(async () => {
    const keys = remoteKeys((await transmitter()).jwks_uri, fetch)
    const { untypedSets } = profile.tolerates
    return createVerifySet({ issuer, algorithms, keys, untypedSets })
  })
  const verifySet: VerifySet = async (token) => (await verifier())(token)

  const acceptSet = createAcceptSet({
    audience: settings.audience,
    eventTypes,
    verifySet,
    profile,
    streamId: () => stream?.stream_id,
    criticalMember: async (subject) => {
      const { critical_subject_members: critical = [] } = await transmitter()
      return unprocessedMember(subject, critical, settings.subjectMembers)
    },
    handlers,
    inbox,
    verifications,
    emitter,
    clock,
  })
  const pushPath = settings.push && new URL(settings.push.url).pathname
  const pushEndpoint = createPushEndpoint({
    acceptSet,
    authorizationHeader: settings.push?.authorizationHeader,
    anyMediaType: profile.tolerates.anyMediaType,
    draining: () => running.signal.aborted,
  })

  const found = (known: StreamConfiguration): void => {
    stream = known
    const { method, endpoint_url: url } = known.delivery
    const { signal } = running
    if (method !== poll || signal.aborted) return
    polling ??= pollLoop({ url, peer, acceptSet, emitter, clock, random, signal })
  }
  const wanted = wantedStream(settings, eventTypes)
  const untilStopped = (signal: AbortSignal | undefined): AbortSignal =>
    signal ? AbortSignal.any([signal, running.signal]) : running.signal

  return {
    name,
    issuer,
    pushPath,
    get stream() {
      return stream
    },
    async push(request) {
      if (!settings.push) return emptyResponse(404)
      const answer = pushEndpoint(request)
      underWay.add(answer)
      return await answer.finally(() => underWay.delete(answer))
    },
    start(signal) {
      if (running.signal.aborted) running = new AbortController()
      const parts = { peer, transmitter, wanted, verifications, found, emitter, clock, random }
      starting ??= connect(parts, untilStopped(signal)).catch((error: unknown) => {
        starting = undefined
        throw error
      })
      return starting
    },
    verified: (signal) => verifications.verified(untilStopped(signal)),
    async stop() {
      running.abort(new Error('the Receiver was stopped'))
      await Promise.allSettled([polling, ...underWay])
      polling = starting = undefined
    },
  }
}

function wantedStream(
  { push: endpoint }: TransmitterSettings,
  eventTypes: readonly EventType[],
): WantedStream {
  const events_requested = eventTypes.map(({ uri }) => uri)
  if (!endpoint) return { delivery: { method: poll }, events_requested }
  const { url: endpoint_url, authorizationHeader } = endpoint
  const header =
    authorizationHeader === undefined ? {} : { authorization_header: authorizationHeader }
  return { delivery: { method: push, endpoint_url, ...header }, events_requested }
}
