import { backoffMs, type Clock } from '@drawbridge/core'
import { StorageError } from '@drawbridge/schema'
import type { RedisConnectionLike, RedisLike, RedisOverrides } from './redis-like.ts'

/** One connection to Redis that opens itself, again and again, when it is used. */
export interface Connection {
  /**
   * Sends a command. One that got no answer in time may have been carried out all the same.
   *
   * @param limitMs How long Redis may be silent before the answer, in milliseconds. Default:
   *   `commandTimeoutMs`
   * @throws StorageError `ERR_STORAGE_UNAVAILABLE` with what Redis or the socket said as `cause`
   */
  send(args: readonly string[], limitMs?: number): Promise<unknown>
  /** Ends at once; what was not answered is rejected. */
  close(): void
}

/** What a connection is made with. */
export interface ConnectionSettings {
  readonly commandTimeoutMs: number
  readonly clock: Clock
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number
}

/** One socket, from before it is opened until it is given up. */
interface Line {
  readonly ready: Promise<RedisConnectionLike>
  readonly control: AbortController
  /** How many commands were answered, with an error or without. */
  answers: number
}

/** Waits shorter than the limit of a command, so that a command outlasts some of them. */
const backoff = { firstMs: 50, longestMs: 1000 }

/** Makes a connection after the application's client, which it leaves alone. */
export function createConnection(redis: RedisLike, settings: ConnectionSettings): Connection {
  const { clock, commandTimeoutMs, random } = settings
  let failures = 0
  let line: Line | undefined
  let isClosed = false

  const open = (): Line => {
    const pauseMs = failures === 0 ? 0 : backoffMs(backoff, failures, random())
    const opened = openLine(redis, pauseMs, settings)
    opened.control.signal.addEventListener('abort', () => {
      if (line === opened) line = undefined
      failures += 1
    })
    return opened
  }

  const command = async (
    used: Line,
    args: readonly string[],
    limitMs: number,
  ): Promise<unknown> => {
    let { answers } = used
    let isSent = false
    const exchange = async (): Promise<unknown> => {
      const client = await used.ready
      isSent = true
      try {
        return await client.sendCommand(args)
      } finally {
        used.answers += 1
      }
    }
    const isLate = (): boolean => {
      // Answers come in turn: while others are answered, this one's turn will come.
      if (used.answers !== answers) {
        answers = used.answers
        return false
      }
      // The socket may be dead with nobody to say so.
      if (isSent) used.control.abort()
      return true
    }
    const answer = await within(limitMs, clock, exchange(), isLate)
    failures = 0
    return answer
  }

  return {
    send: async (args, limitMs = commandTimeoutMs) => {
      if (isClosed) throw new StorageError('ERR_STORAGE_UNAVAILABLE', 'the ledger is not open')
      const used = (line ??= open())
      try {
        return await command(used, args, limitMs)
      } catch (cause) {
        // A master that became a replica: the address may lead to the new master by now.
        if (isReply(cause, 'READONLY')) used.control.abort()
        throw unavailable(cause)
      }
    },
    close: () => {
      isClosed = true
      line?.control.abort()
    },
  }
}

/**
 * Tells whether an error is the answer of Redis that begins with a word, or was caused by it.
 *
 * @param word As Redis writes it: `NOSCRIPT`
 */
export function isReply(error: unknown, word: string): boolean {
  const { message, cause } = error as Partial<Error>
  return message?.startsWith(word) || (Boolean(cause) && isReply(cause, word))
}

function openLine(redis: RedisLike, pauseMs: number, settings: ConnectionSettings): Line {
  const { clock, commandTimeoutMs } = settings
  const control = new AbortController()
  const { signal } = control
  const give = (): void => control.abort()
  const connect = async (): Promise<RedisConnectionLike> => {
    if (pauseMs > 0) await clock.sleep(pauseMs, signal)
    signal.throwIfAborted()
    const client = redis.duplicate(overridesOf(redis, commandTimeoutMs, control))
    client.on('error', give)
    signal.addEventListener('abort', () => destroy(client))
    await within(commandTimeoutMs, clock, client.connect(), () => true)
    return client
  }
  const ready = connect()
  ready.catch(give)
  return { ready, control, answers: 0 }
}

/**
 * The client opens one socket and never a second one: it cannot be stopped while it waits to do so,
 * and nothing may be left behind.
 */
function overridesOf(
  redis: RedisLike,
  connectTimeout: number,
  control: AbortController,
): RedisOverrides {
  const reconnectStrategy = (): false => {
    control.abort()
    return false
  }
  const { signal } = control
  // Answers in one shape, whatever the application has set.
  const plain = { clientSideCache: undefined, commandOptions: {} }
  return {
    ...plain,
    RESP: 2,
    emitInvalidate: false,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    pingInterval: 0,
    socket: {
      ...redis.options?.socket,
      connectTimeout,
      // A read that blocks is silent for long.
      socketTimeout: 0,
      reconnectStrategy,
      signal,
    },
  }
}

function destroy(client: RedisConnectionLike): void {
  try {
    client.destroy()
  } catch {
    // It had closed itself.
  }
}

/** Waits for some work as long as it is not late, which is asked whenever the limit has passed. */
async function within<Result>(
  limitMs: number,
  clock: Clock,
  work: Promise<Result>,
  isLate: () => boolean,
): Promise<Result> {
  const done = new AbortController()
  const limit = async (): Promise<never> => {
    do await clock.sleep(limitMs, done.signal)
    while (!done.signal.aborted && !isLate())
    throw new Error(`no answer within ${limitMs} ms`)
  }
  try {
    return await Promise.race([work, limit()])
  } finally {
    // An error as the reason, which nobody reads, would be made for every command.
    done.abort(null)
  }
}

const unavailable = (cause: unknown): StorageError =>
  new StorageError(
    'ERR_STORAGE_UNAVAILABLE',
    'the Redis of the ledger is away, does not answer in time or refuses a command',
    { cause },
  )
