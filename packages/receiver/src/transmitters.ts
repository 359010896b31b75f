import { OptionsError } from '@drawbridge/core'
import type { StreamConfiguration } from '@drawbridge/schema'
import type { Connection } from './connection.ts'
import type { TransmitterSettings } from './options.ts'
import type { OwnStream } from './peer/own-stream.ts'

/** One Transmitter of a Receiver. */
export interface TransmitterEntry {
  readonly name: string
  readonly issuer: string
  /** `suspended`: nothing is polled, and pushes get 503, so that they are held and come later. */
  readonly state: 'stopped' | 'running' | 'suspended'
  /** Whether its stream is found or made by its API. */
  readonly isManaged: boolean
  /** The stream, once there is one; undefined for one that is not managed. */
  readonly stream: StreamConfiguration | undefined
  /** What can be done with the stream, once there is one. */
  readonly ownStream: OwnStream | undefined
  /** When a SET that holds came last, in milliseconds since 1970; at first, when it was added. */
  readonly heardAt: number
  /** Whether nothing came for `silentAfterSeconds`. */
  readonly isSilent: boolean
}

/** The Transmitters of a Receiver: they come and go while it runs. */
export interface Transmitters {
  /**
   * Adds a Transmitter. Where the Receiver was started it is started too: await `start` to hear
   * what came of it.
   *
   * @throws OptionsError `ERR_INVALID_ARG_VALUE` for mistakes in the settings, a name that is
   *   taken, or a push path that another Transmitter has
   */
  add(settings: TransmitterSettings): TransmitterEntry
  /**
   * Stops a Transmitter and forgets it. What was handled is acknowledged first. Its stream stays,
   * for it may be added again.
   */
  remove(name: string): Promise<void>
  /** Takes nothing from a Transmitter until `start`. Others go on. */
  suspend(name: string): Promise<void>
  /**
   * Starts one Transmitter, or goes on with a suspended one.
   *
   * @throws PeerError when it is not who it should be, or refuses
   */
  start(name: string, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** All of them, in the order they were added. */
  list(): readonly TransmitterEntry[]
}

/** What the Receiver itself can do with all of them. */
export interface AllTransmitters extends Transmitters {
  startAll(signal?: AbortSignal): Promise<void>
  stopAll(): Promise<void>
}

/** Makes the table of Transmitters over the connections of a Receiver. */
export function createTransmitters(
  connections: Map<string, Connection>,
  connect: (settings: TransmitterSettings) => Connection,
): AllTransmitters {
  const states = new Map<string, TransmitterEntry['state']>()
  let isStarted = false
  const find = (name: string): Connection => {
    const found = connections.get(name)
    if (found) return found
    throw new OptionsError('transmitters', ['"name" must be that of a Transmitter that was added'])
  }
  const known = (connection: Connection): TransmitterEntry => {
    const { name, issuer, isManaged, stream, ownStream } = connection
    const { heardAt, isSilent } = connection.liveness
    const state = states.get(name) ?? 'stopped'
    return { name, issuer, state, isManaged, stream, ownStream, heardAt, isSilent }
  }
  const start = async (name: string, signal?: AbortSignal): Promise<void> => {
    const connection = find(name)
    states.set(name, 'running')
    await connection.start(signal)
  }
  const stop = async (name: string, state: TransmitterEntry['state']): Promise<void> => {
    const connection = find(name)
    states.set(name, state)
    await connection.stop()
  }

  return {
    add: (settings) => {
      const connection = connect(settings)
      checkUnique(connection, [...connections.values()])
      connections.set(connection.name, connection)
      // What it throws is for whoever awaits `start`: there it is thrown again.
      if (isStarted) start(connection.name).catch(() => undefined)
      return known(connection)
    },
    remove: async (name) => {
      await stop(name, 'stopped')
      connections.delete(name)
      states.delete(name)
    },
    suspend: (name) => stop(name, 'suspended'),
    start: (name, { signal } = {}) => start(name, signal),
    list: () => Array.from(connections.values(), known),
    startAll: async (signal) => {
      isStarted = true
      const names = [...connections.keys()].filter((name) => states.get(name) !== 'suspended')
      await Promise.all(names.map((name) => start(name, signal)))
    },
    stopAll: async () => {
      isStarted = false
      const names = [...connections.keys()].filter((name) => states.get(name) !== 'suspended')
      await Promise.all(names.map((name) => stop(name, 'stopped')))
    },
  }
}

function checkUnique({ name, pushPath }: Connection, others: readonly Connection[]): void {
  const mistakes = [
    ...(others.some((other) => other.name === name)
      ? ['"name" must be one that no other Transmitter has: by default it is the issuer']
      : []),
    ...(pushPath !== undefined && others.some((other) => other.pushPath === pushPath)
      ? ['"push.url" must have a path of its own: it tells which Transmitter a push comes from']
      : []),
  ]
  if (mistakes.length > 0) throw new OptionsError('transmitters.add', mistakes)
}
