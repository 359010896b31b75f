import {
  createEmitter,
  emptyResponse,
  systemClock,
  type FetchHandler,
  type Watchable,
} from '@drawbridge/core'
import type { StreamConfiguration } from '@drawbridge/schema'
import { createConnection, type Connection, type Shared } from './connection.ts'
import { createHandlers, type Handlers } from './handling/handlers.ts'
import { memoryInbox } from './handling/inbox.ts'
import {
  checkReceiverOptions,
  checkTransmitterSettings,
  settingsOf,
  type ReceiverOptions,
  type SharedOptions,
} from './options.ts'
import type { ReceiverEvents } from './receiver-events.ts'
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
  /** Resolves when the verification event came back over every stream. */
  verified(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Stops polling and acknowledges what was handled; pushes get 503. Streams stay. Idempotent. */
  stop(): Promise<void>
  /** The stream of the Transmitter that the options name, once there is one. */
  readonly stream: StreamConfiguration | undefined
  /** The Transmitters, which come and go while the Receiver runs. */
  readonly transmitters: Transmitters
  /** What happens, to watch. */
  readonly events: Watchable<ReceiverEvents>
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
  const handlers = createHandlers(options.handlerTimeoutMs ?? 30_000)
  const shared: Shared = {
    handlers,
    inbox: options.inbox ?? memoryInbox(),
    emitter,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    fetch: options.fetch ?? globalThis.fetch,
    allowInsecureHttp: options.allowInsecureHttp === true,
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
    serves: (pathname) => byPath(pathname) !== undefined,
    fetch: async (request) =>
      (await byPath(new URL(request.url).pathname)?.push(request)) ?? emptyResponse(404),
    start: ({ signal } = {}) => transmitters.startAll(signal),
    verified: async ({ signal } = {}) => {
      await Promise.all(Array.from(connections.values(), (one) => one.verified(signal)))
    },
    stop: () => transmitters.stopAll(),
  }
}
