import { createEmitter, type FetchHandler, type Watchable } from '@drawbridge/core'
import type { EventType, SubjectInput } from '@drawbridge/schema'
import { answerRequest, type ApiSetup } from './http/api.ts'
import { createLocate } from './http/locate.ts'
import { createJti } from './jti.ts'
import type { RotatedKey, RotationRequest } from './keys/key-ring.ts'
import { createHealth, type Health } from './operations/health.ts'
import { notStarted } from './operations/operation-context.ts'
import { createOperations, type Operations } from './operations/operations.ts'
import { readOptions } from './settings.ts'
import { startTransmitter, type Started } from './start-transmitter.ts'
import type { TransmitOptions, Transmitted } from './transmit/transmit.ts'
import type { TransmitterEvents } from './transmitter-events.ts'
import type { TransmitterOptions } from './transmitter-options.ts'

/** Emits Security Event Tokens for one issuer, and serves its stream management API. */
export interface Transmitter extends FetchHandler, Operations {
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
  /**
   * How it is, cheap enough to be asked every second. It serves probes: an application answers them
   * with what it chooses to tell of it.
   */
  readonly health: Health
  /**
   * Makes the next signing key of each algorithm, or of one. It is published at once, and signs
   * once no Receiver can have a JWK Set without it any more: `keys.publishAheadSeconds` and half a
   * minute later. A next key that waits already is that key; no second is made. The keys are
   * durable when it resolves.
   *
   * With `compromised`, a new key signs at once, and all others of the algorithm are taken out of
   * the JWK Set and the store, as who got one may have got its neighbours. A Receiver that has
   * cached the JWK Set believes the old ones until its copy is too old, and refuses the first SETs
   * of the new one until it has fetched it, at most for as long as it waits between two fetches:
   * those SETs are sent again.
   *
   * ```ts
   * await transmitter.rotateKeys({ compromised: true })
   * ```
   *
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE`: not durable, or not started
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` for an algorithm that is none, or a signer's
   */
  rotateKeys(request?: RotationRequest): Promise<readonly RotatedKey[]>
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
  const { authorizationServers } = settings.authenticate
  const locate = createLocate(settings.issuer, settings.draftMetadata, authorizationServers)
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
    ...createOperations(() => {
      if (!started) throw notStarted('this')
      return started.operations
    }),
    health: createHealth(
      () => started?.operations,
      () => settings.clock.now(),
    ),
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
    rotateKeys: async (request) => {
      if (!started) throw notStarted('rotateKeys()')
      return started.keys.rotate(request)
    },
    transmit: async (type, subject, payload, transmitOptions) => {
      if (!started) throw notStarted('transmit()')
      return started.transmit({ type, subject, payload }, transmitOptions)
    },
  }
}
