import { createEmitter, type FetchHandler, type Watchable } from '@drawbridge/core'
import { StorageError, type EventType, type SubjectInput } from '@drawbridge/schema'
import { answerRequest, type ApiSetup } from './http/api.ts'
import { createLocate } from './http/locate.ts'
import { createJti } from './jti.ts'
import { readOptions, type TransmitterOptions } from './settings.ts'
import { startTransmitter, type Started } from './start-transmitter.ts'
import type { TransmitOptions, Transmitted } from './transmit/transmit.ts'
import type { TransmitterEvents } from './transmitter-events.ts'

/** Emits Security Event Tokens for one issuer, and serves its stream management API. */
export interface Transmitter extends FetchHandler {
  /**
   * Opens the store, makes the first signing key where there is none, and takes up the deliveries
   * that are outstanding. Idempotent.
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`, `ERR_STORAGE_VERSION`, `ERR_STORAGE_SECRET`
   */
  start(): Promise<void>
  /**
   * Ends long polls, lets pushes under way end (two seconds at most) and closes the store.
   * Idempotent; `start` begins anew.
   */
  stop(): Promise<void>
  /**
   * Records an event for every stream that wants it. When it resolves, the event is durable: a
   * process that is killed right after delivers it when it is started again. Events about one
   * principal reach a stream in the order of the calls. The SETs are signed when they are
   * delivered.
   *
   * ```ts
   * await transmitter.transmit(SessionRevoked, { session: opaque(sid) }, {})
   * ```
   *
   * @throws SetError `ERR_SET_PAYLOAD`, `ERR_SET_SUBJECT`: nothing was recorded
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` for a type that is not in `eventsSupported`
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: it is not durable, or not started
   */
  transmit<Payload extends object>(
    type: EventType<Payload>,
    subject: SubjectInput,
    payload: NoInfer<Payload>,
    options?: TransmitOptions,
  ): Promise<Transmitted>
  /** What happens, to watch. */
  readonly events: Watchable<TransmitterEvents>
}

/**
 * Makes a Transmitter. Nothing is opened before `start`.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with all mistakes at once
 * @see OpenID SSF 1.0, "Transmitter Configuration Discovery"
 */
export function createTransmitter(options: TransmitterOptions): Transmitter {
  const settings = readOptions(options)
  const emitter = createEmitter<TransmitterEvents>()
  const locate = createLocate(settings.issuer)
  const setup: ApiSetup = { settings, locate, emitter }
  const makeJti = createJti(() => settings.clock.now())
  let started: Started | undefined
  // Starts and stops one after the other, in the order of the calls.
  let last: Promise<void> = Promise.resolve()
  const inOrder = (step: () => Promise<void>): Promise<void> => {
    const done = last.then(step)
    last = done.catch(() => undefined)
    return done
  }

  return {
    events: emitter.watchable,
    fetch: (request) => answerRequest(request, started?.api, setup),
    serves: (pathname) => locate(pathname) !== undefined,
    start: () =>
      inOrder(async () => {
        started ??= await startTransmitter({ settings, emitter, makeJti })
      }),
    stop: () =>
      inOrder(async () => {
        const stopping = started
        started = undefined
        await stopping?.stop()
      }),
    transmit: async (type, subject, payload, transmitOptions) => {
      if (!started) {
        throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'await start() before transmit()')
      }
      return started.transmit({ type, subject, payload }, transmitOptions)
    },
  }
}
