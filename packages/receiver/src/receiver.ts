import {
  createEmitter,
  emptyResponse,
  systemClock,
  type FetchHandler,
  type Watchable,
} from '@drawbridge/core'
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
import { createHandlers, type Handlers } from './handling/handlers.ts'
import { memoryInbox } from './handling/inbox.ts'
import { createVerifications } from './handling/verifications.ts'
import { checkReceiverOptions, knownEventTypes, type ReceiverOptions } from './options.ts'
import { connect } from './peer/connect.ts'
import { discover } from './peer/discover.ts'
import type { WantedStream } from './peer/ensure-stream.ts'
import { createPeer } from './peer/peer.ts'
import { memoUntilFailure } from './memo.ts'
import type { ReceiverEvents } from './receiver-events.ts'
import { createVerifySet, remoteKeys, type VerifySet } from './verify-set.ts'

/**
 * Receives the SETs of one Transmitter: verifies them and calls the handlers that are registered,
 * each awaited before its SET is acknowledged.
 */
export interface Receiver extends FetchHandler, Pick<Handlers, 'handle' | 'onSessionTermination'> {
  /**
   * Finds the Transmitter, and finds or creates the stream; polling begins then. Resolves when
   * verification was asked for, too. A Transmitter that cannot be reached is tried again until the
   * signal aborts. Idempotent.
   *
   * @throws PeerError when the Transmitter is not who it should be, or refuses
   */
  start(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Resolves when the verification event came back over the stream. */
  verified(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Stops polling and acknowledges what was handled; pushes get 503. The stream stays. Idempotent. */
  stop(): Promise<void>
  /** The stream, once there is one. */
  readonly stream: StreamConfiguration | undefined
  /** What happens, to watch. */
  readonly events: Watchable<ReceiverEvents>
}

/**
 * Makes a Receiver. Register hooks and handlers before `start()`.
 *
 * @throws OptionsError that names every mistake in the options
 * @see OpenID SSF 1.0; RFC 8935; RFC 8936
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  checkReceiverOptions(options)
  const {
    issuer,
    clock = systemClock,
    random = Math.random,
    fetch = globalThis.fetch,
    events: eventTypes = knownEventTypes,
    profile = strict,
    algorithms = profile.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'],
  } = options
  const emitter = createEmitter<ReceiverEvents>()
  const peer = createPeer({
    issuer,
    authorize: options.authorize,
    trustedOrigins: options.trustedOrigins ?? [],
    allowInsecureHttp: options.allowInsecureHttp === true,
    fetch,
    clock,
  })
  const stopped = new AbortController()
  const handlers = createHandlers(options.handlerTimeoutMs ?? 30_000)
  let stream: StreamConfiguration | undefined
  let polling: Promise<void> | undefined
  const verifications = createVerifications(() => stream)

  // Both are needed by whichever comes first, `start` or a push.
  const transmitter = memoUntilFailure(() => discover(peer, issuer, stopped.signal))
  const verifier = memoUntilFailure(async () => {
    const keys = remoteKeys((await transmitter()).jwks_uri, fetch)
    const { untypedSets } = profile.tolerates
    return createVerifySet({ issuer, algorithms, keys, untypedSets })
  })
  const verifySet: VerifySet = async (token) => (await verifier())(token)

  const acceptSet = createAcceptSet({
    audience: options.audience,
    eventTypes,
    verifySet,
    profile,
    streamId: () => stream?.stream_id,
    criticalMember: async (subject) => {
      const { critical_subject_members: critical = [] } = await transmitter()
      return unprocessedMember(subject, critical, options.subjectMembers)
    },
    handlers,
    inbox: options.inbox ?? memoryInbox(),
    verifications,
    emitter,
    clock,
  })
  const pushPath = options.push && new URL(options.push.url).pathname
  const pushEndpoint = createPushEndpoint({
    acceptSet,
    authorizationHeader: options.push?.authorizationHeader,
    anyMediaType: profile.tolerates.anyMediaType,
    draining: () => stopped.signal.aborted,
  })

  const found = (known: StreamConfiguration): void => {
    stream = known
    const { method, endpoint_url: url } = known.delivery
    if (method !== poll || stopped.signal.aborted) return
    polling ??= pollLoop({ url, peer, acceptSet, emitter, clock, random, signal: stopped.signal })
  }
  const wanted = wantedStream(options, eventTypes)
  const untilStopped = (signal: AbortSignal | undefined): AbortSignal =>
    signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal
  let starting: Promise<void> | undefined
  const underWay = new Set<Promise<Response>>()

  return {
    handle: handlers.handle,
    onSessionTermination: handlers.onSessionTermination,
    events: emitter.watchable,
    get stream() {
      return stream
    },
    serves: (pathname) => pathname === pushPath,
    async fetch(request) {
      if (new URL(request.url).pathname !== pushPath) return emptyResponse(404)
      const answer = pushEndpoint(request)
      underWay.add(answer)
      return await answer.finally(() => underWay.delete(answer))
    },
    start({ signal } = {}) {
      const parts = { peer, transmitter, wanted, verifications, found, emitter, clock, random }
      starting ??= connect(parts, untilStopped(signal)).catch((error: unknown) => {
        starting = undefined
        throw error
      })
      return starting
    },
    verified: ({ signal } = {}) => verifications.verified(untilStopped(signal)),
    async stop() {
      stopped.abort(new Error('the Receiver was stopped'))
      await Promise.allSettled([polling, ...underWay])
    },
  }
}

function wantedStream(
  { push: endpoint }: ReceiverOptions,
  eventTypes: readonly EventType[],
): WantedStream {
  const events_requested = eventTypes.map(({ uri }) => uri)
  if (!endpoint) return { delivery: { method: poll }, events_requested }
  const { url: endpoint_url, authorizationHeader } = endpoint
  const header =
    authorizationHeader === undefined ? {} : { authorization_header: authorizationHeader }
  return { delivery: { method: push, endpoint_url, ...header }, events_requested }
}
