import { emptyResponse, type Clock, type Emitter } from '@drawbridge/core'
import {
  PeerError,
  poll,
  push,
  unprocessedMember,
  type EventType,
  type StreamConfiguration,
} from '@drawbridge/schema'
import { strict } from '@drawbridge/schema/profiles'
import { pollLoop } from './delivery/poll-loop.ts'
import { createPushEndpoint } from './delivery/push-endpoint.ts'
import { createAcceptSet, type Acknowledge } from './handling/accept-set.ts'
import type { Handlers } from './handling/handlers.ts'
import type { Inbox } from './handling/inbox.ts'
import type { InboxWorker } from './handling/inbox-worker.ts'
import { createVerifications } from './handling/verifications.ts'
import { createLiveness, type Liveness } from './liveness.ts'
import { knownEventTypes, type TransmitterSettings } from './options.ts'
import { connect, findTransmitter } from './peer/connect.ts'
import { discover, sameIssuer } from './peer/discover.ts'
import type { WantedStream } from './peer/ensure-stream.ts'
import { doubtingPeer, knownMetadata } from './peer/known-metadata.ts'
import type { Authorize } from './peer/authorize.ts'
import { resumeIfPaused, type OwnStream } from './peer/own-stream.ts'
import { createPeer } from './peer/peer.ts'
import {
  connectionEmitter,
  type ConnectionEmitter,
  type ReceiverEvents,
} from './receiver-events.ts'
import { stayActive } from './stay-active.ts'
import { verifySetOf } from './verify-with-metadata.ts'

/** What a Receiver does with one Transmitter. */
export interface Connection {
  /** Names the Transmitter in this Receiver. */
  readonly name: string
  readonly issuer: string
  /** The path of the push endpoint; undefined where SETs are polled. */
  readonly pushPath: string | undefined
  /** Whether its stream is found or made by its API. */
  readonly isManaged: boolean
  /** The stream, once there is one; undefined for one that is not managed. */
  readonly stream: StreamConfiguration | undefined
  /** What can be done with the stream, once there is one. */
  readonly ownStream: OwnStream | undefined
  /** When the stream was heard of last. */
  readonly liveness: Pick<Liveness, 'heardAt' | 'isSilent'>
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
  /** Resolves when the inbox is open. */
  readonly ready: () => Promise<void>
  readonly acknowledge: Acknowledge
  readonly worker: InboxWorker
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
  const emitter = connectionEmitter(shared.emitter, name)
  const {
    issuer,
    events: eventTypes = knownEventTypes,
    profile = strict,
    algorithms = profile.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'],
    managed = true,
    authorize = noToken,
  } = settings
  const peer = createPeer({
    issuer,
    authorize,
    trustedOrigins: settings.trustedOrigins ?? [],
    allowInsecureHttp: shared.allowInsecureHttp,
    fetch,
    clock,
    resourceMetadata: profile.discovery.resourceMetadata,
  })
  let running = new AbortController()
  let starting: Promise<void> | undefined
  let polling: Promise<void> | undefined
  let watching: Promise<void> | undefined
  let active: Promise<void> | undefined
  let stream: StreamConfiguration | undefined
  const underWay = new Set<Promise<Response>>()
  let ownStream: OwnStream | undefined
  const streamId = (): string | undefined => stream?.stream_id ?? settings.streamId
  const verifications = createVerifications(streamId, clock)

  // Both are needed by whichever comes first, `start` or a push.
  const { discovery } = profile
  const { allowInsecureHttp } = shared
  const { metadataUrl } = settings
  const find = { issuer, metadataUrl, discovery, managed, allowInsecureHttp }
  const metadata = knownMetadata(() => discover(peer, find, running.signal), clock)
  const transmitter = metadata.read
  const doubting = doubtingPeer(peer, metadata)
  const verifySet = verifySetOf(metadata, {
    issuer,
    isIssuer: (iss) => sameIssuer(iss, issuer, discovery),
    algorithms,
    untypedSets: profile.tolerates.untypedSets,
    fetch,
    clock,
  })

  const liveness = connectionLiveness(settings, {
    emitter,
    clock,
    stream: () => stream,
    ownStream: () => ownStream,
    signal: () => running.signal,
  })
  const acceptSet = createAcceptSet({
    heard: () => liveness.heard(),
    audience: settings.audience,
    eventTypes,
    verifySet,
    profile,
    streamId,
    criticalMember: async (subject) => {
      const { critical_subject_members: critical = [] } = await transmitter()
      return unprocessedMember(subject, critical, settings.subjectMembers)
    },
    handlers,
    stopping: () => running.signal,
    inbox,
    ready: shared.ready,
    acknowledge: shared.acknowledge,
    keep: (set) => shared.worker.keep(name, set),
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

  const receive = (pollUrl: string | undefined): void => {
    const { signal } = running
    watching ??= liveness.watch(signal)
    if (pollUrl === undefined || signal.aborted) return
    polling ??= pollLoop({ url: pollUrl, peer, acceptSet, emitter, clock, random, signal })
  }
  const found = (known: StreamConfiguration, own: OwnStream): void => {
    stream = known
    ownStream = own
    const { delivery, inactivity_timeout: timeoutSeconds = 0 } = known
    receive(delivery.method === poll ? delivery.endpoint_url : undefined)
    const { signal } = running
    if (delivery.method === poll || timeoutSeconds === 0) return
    const ask = async (): Promise<void> => {
      const failed = (cause: unknown): void => {
        if (!signal.aborted) emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs: 0 })
      }
      await own.readStatus({ signal }).catch(failed)
    }
    active ??= stayActive({ timeoutSeconds, ask, clock, signal })
  }
  const connectUnmanaged: typeof connect = async (parts, signal) => {
    await findTransmitter(parts, signal)
    receive(settings.poll?.endpointUrl)
  }
  const wanted = wantedStream(settings, eventTypes)
  const untilStopped = (signal: AbortSignal | undefined): AbortSignal =>
    signal ? AbortSignal.any([signal, running.signal]) : running.signal

  return {
    name,
    issuer,
    pushPath,
    isManaged: managed,
    get stream() {
      return stream
    },
    get ownStream() {
      return ownStream
    },
    liveness,
    async push(request) {
      if (!settings.push) return emptyResponse(404)
      const answer = pushEndpoint(request)
      underWay.add(answer)
      return await answer.finally(() => underWay.delete(answer))
    },
    start(signal) {
      if (running.signal.aborted) running = new AbortController()
      const { replaceOnConflict = false } = settings
      const rules = { wanted, replaceOnConflict }
      const parts = {
        ...rules,
        audience: settings.audience,
        peer: doubting,
        transmitter,
        verifications,
        found,
        emitter,
        clock,
        random,
      }
      const run = managed ? connect : connectUnmanaged
      starting ??= run(parts, untilStopped(signal)).catch((error: unknown) => {
        starting = undefined
        metadata.doubt()
        throw error
      })
      return starting
    },
    verified: async (signal) => {
      // Nobody can be asked for a Verification event there.
      if (managed) await verifications.verified(untilStopped(signal))
    },
    async stop() {
      running.abort(new Error('the Receiver was stopped'))
      await Promise.allSettled([polling, watching, active, ...underWay])
      polling = watching = active = starting = undefined
    },
  }
}

/** Of the options, a Transmitter that is never asked for anything with a token needs none. */
const noToken: Authorize = () => {
  throw new PeerError('ERR_PEER_ANSWER', '"authorize" is not given, and a token is needed')
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

interface LivenessContext {
  readonly emitter: ConnectionEmitter
  readonly clock: Clock
  readonly stream: () => StreamConfiguration | undefined
  readonly ownStream: () => OwnStream | undefined
  readonly signal: () => AbortSignal
}

/** Watches the stream of a connection, and looks after it when it falls silent. */
function connectionLiveness(
  {
    managed = true,
    verifyEverySeconds = 600,
    // Where no sign of life can be asked for, silence says nothing.
    silentAfterSeconds = managed ? 1800 : Infinity,
  }: TransmitterSettings,
  { emitter, clock, stream, ownStream, signal }: LivenessContext,
): Liveness {
  const failed = (cause: unknown): void => {
    if (!signal().aborted) emitter.emit('peer:failed', { at: clock.now(), cause, retryInMs: 0 })
  }
  return createLiveness({
    verifyEverySeconds,
    silentAfterSeconds,
    minIntervalSeconds: () => stream()?.min_verification_interval ?? 0,
    clock,
    requestVerification: async () => {
      await ownStream()?.requestVerification({ signal: signal() }).catch(failed)
    },
    fellSilent: async (heardAt) => {
      emitter.emit('stream:silent', { at: clock.now(), heardAt })
      const own = ownStream()
      if (!own) return
      try {
        const { found, asked } = await resumeIfPaused(own, signal())
        if (asked) emitter.emit('stream:resumed', { at: clock.now(), reason: found.reason ?? '' })
      } catch (cause) {
        failed(cause)
      }
    },
    returned: (heardAt, silentForMs) =>
      emitter.emit('stream:returned', { at: heardAt, silentForMs }),
  })
}
