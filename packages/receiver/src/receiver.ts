import {
  createEmitter,
  emptyResponse,
  systemClock,
  type FetchHandler,
  type Watchable,
} from '@drawbridge/core'
import type { StreamConfiguration } from '@drawbridge/schema'
import { guardedFetch } from '#outgoing'
import { createConnection, type Connection, type Shared } from './connection.ts'
import { createHandlers, type Handlers } from './handling/handlers.ts'
import type { InboxDeadLetter, SetName } from './handling/inbox.ts'
import { healthOf, type ReceiverHealth } from './health.ts'
import { createInboxWorker } from './handling/inbox-worker.ts'
import { memoryInbox } from './handling/memory-inbox.ts'
import { memoUntilFailure } from './memo.ts'
import {
  checkReceiverOptions,
  checkTransmitterSettings,
  settingsOf,
  type ReceiverOptions,
  type SharedOptions,
} from './options.ts'
import type { OwnStream } from './peer/own-stream.ts'
import { connectionEmitter, type ReceiverEvents } from './receiver-events.ts'
import { createTransmitters, type Transmitters } from './transmitters.ts'

/**
 * Receives the SETs of one or several Transmitters: verifies them and calls the handlers that are
 * registered, each awaited before its SET is acknowledged.
 */
export interface Receiver extends FetchHandler, Pick<Handlers, 'handle' | 'onSessionTermination'> {
  /**
   * Finds every Transmitter, and finds or creates its stream; polling begins then. Resolves when
   * verification was asked for, too. A Transmitter that cannot be reached is tried again until the
   * signal aborts. Idempotent, and possible again after `stop`.
   *
   * @throws PeerError when a Transmitter is not who it should be, or refuses
   */
  start(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Resolves when the verification event came back over every stream that is managed. */
  verified(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Stops polling and acknowledges what was handled; pushes get 503. Streams stay. Idempotent. */
  stop(): Promise<void>
  /** The stream of the Transmitter that the options name, once there is one. */
  readonly stream: StreamConfiguration | undefined
  /** What can be done with that stream: its status, its subjects, a verification. */
  readonly ownStream: OwnStream | undefined
  /** The Transmitters, which come and go while the Receiver runs. */
  readonly transmitters: Transmitters
  /** The SETs whose handlers failed every time, where SETs are acknowledged when they are stored. */
  readonly deadLetters: InboxDeadLetters
  /** Tells how the Receiver is, cheaply enough to be asked every second. Never rejects. */
  health(): Promise<ReceiverHealth>
  /** What happens, to watch. */
  readonly events: Watchable<ReceiverEvents>
}

/**
 * The SETs of an inbox that were given up. They count as received: a Transmitter that sends one
 * again is told so.
 */
export interface InboxDeadLetters {
  /** Oldest first. By default the first 100. */
  list(page?: {
    readonly skip?: number
    readonly limit?: number
  }): Promise<readonly InboxDeadLetter[]>
  /** Has them handled again. Returns how many were there. */
  retry(names: readonly SetName[]): Promise<number>
  /** Forgets them. Returns how many were there. */
  purge(names: readonly SetName[]): Promise<number>
}

/**
 * Makes a Receiver. Register hooks and handlers before `start()`.
 *
 * @throws OptionsError that names every mistake in the options
 * @see OpenID SSF 1.0; RFC 8935; RFC 8936
 */
export function createReceiver(options: ReceiverOptions): Receiver
/** Makes a Receiver whose Transmitters are added by `receiver.transmitters.add`. */
export function createReceiver(options?: SharedOptions): Receiver
export function createReceiver(options: SharedOptions = {}): Receiver {
  checkReceiverOptions(options)
  const emitter = createEmitter<ReceiverEvents>()
  const handlers = createHandlers({
    timeoutMs: options.handlerTimeoutMs ?? 30_000,
    maxConcurrent: options.maxConcurrentHandlers ?? 16,
  })
  const { allowedHosts = [], allowInsecureHttp = false, ca } = options
  const { inbox = memoryInbox(), clock = systemClock, random = Math.random } = options
  const worker = createInboxWorker({
    inbox,
    handlers,
    emitterOf: (transmitter) => connectionEmitter(emitter, transmitter),
    clock,
    random,
    maxAttempts: options.maxAttempts ?? 20,
  })
  let isStarted = false
  let ready = memoUntilFailure(() => inbox.open())
  const shared: Shared = {
    handlers,
    inbox,
    ready: () => ready(),
    acknowledge: options.acknowledge ?? 'handled',
    worker,
    emitter,
    clock,
    random,
    fetch:
      options.fetch ??
      guardedFetch({
        allowedHosts,
        allowLoopback: allowInsecureHttp,
        ...(ca !== undefined && { ca }),
      }),
    allowInsecureHttp,
  }
  const connections = new Map<string, Connection>()
  const transmitters = createTransmitters(connections, (settings) => {
    checkTransmitterSettings(settings, shared.allowInsecureHttp)
    return createConnection(settings, shared)
  })
  const own = settingsOf(options)
  const first = own && transmitters.add(own).name
  const byPath = (pathname: string): Connection | undefined =>
    [...connections.values()].find(({ pushPath }) => pushPath === pathname)

  return {
    handle: handlers.handle,
    onSessionTermination: handlers.onSessionTermination,
    events: emitter.watchable,
    transmitters,
    get stream() {
      return first === undefined ? undefined : connections.get(first)?.stream
    },
    get ownStream() {
      return first === undefined ? undefined : connections.get(first)?.ownStream
    },
    serves: (pathname) => byPath(pathname) !== undefined,
    fetch: async (request) =>
      (await byPath(new URL(request.url).pathname)?.push(request)) ?? emptyResponse(404),
    deadLetters: {
      list: async ({ skip = 0, limit = 100 } = {}) => {
        await ready()
        return inbox.deadLetters(skip, limit)
      },
      retry: async (names) => {
        await ready()
        const count = await inbox.revive(names)
        worker.wake()
        return count
      },
      purge: async (names) => {
        await ready()
        return inbox.purge(names, clock.now())
      },
    },
    health: () => healthOf({ isStarted, inbox, transmitters: transmitters.list() }),
    start: async ({ signal } = {}) => {
      await ready()
      isStarted = true
      // What waited when the process ended is handled also where no Transmitter can be reached.
      worker.start()
      await transmitters.startAll(signal)
    },
    verified: async ({ signal } = {}) => {
      await Promise.all(Array.from(connections.values(), (one) => one.verified(signal)))
    },
    stop: async () => {
      isStarted = false
      await transmitters.stopAll()
      await worker.stop()
      await inbox.close()
      ready = memoUntilFailure(() => inbox.open())
    },
  }
}
