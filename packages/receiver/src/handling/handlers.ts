import { accessMeaning, type EventType, type SecurityEvent, type Subject } from '@drawbridge/schema'
import { createPlaces } from './places.ts'

/** What a handler is given besides the event. */
export interface HandlerContext {
  /** Names this event for good: the same when it comes again. Use it to make the effect happen once. */
  readonly key: string
  /** Aborts when the handler's time is over: its event will come again. */
  readonly signal: AbortSignal
}

/**
 * Handles an event. Its SET is acknowledged when the handler returns, and comes again when it
 * throws.
 */
export type Handler<Payload extends object = object> = (
  event: SecurityEvent<Payload>,
  context: HandlerContext,
) => unknown

/** What an `onSessionTermination` hook is given. */
export interface SessionTermination extends HandlerContext {
  /** Whose sessions end: with a complex subject, those that match all its members. */
  readonly subject: Subject
  /** The event that ends them. Sessions that began after `cause.time` are not meant. */
  readonly cause: SecurityEvent
}

/** Ends sessions in the application. Awaited before the SET is acknowledged. */
export type SessionTerminationHook = (termination: SessionTermination) => unknown

/** The handlers that were registered. */
export interface Handlers {
  /** Adds a handler for one event type, typed by it, or for every event (`'*'`). */
  readonly handle: {
    <Payload extends object>(type: EventType<Payload>, handler: Handler<Payload>): void
    (type: '*', handler: Handler): void
  }
  /** Adds a hook for every event that ends access. */
  readonly onSessionTermination: (hook: SessionTerminationHook) => void
  /** The event type of a URI, where a handler was registered for it. */
  typeOf(uri: string): EventType | undefined
  /**
   * Runs every handler of an event, in the order they were registered, each with its own time. It
   * waits while too many events are being handled, until the signal aborts.
   *
   * @throws What the first failing handler threw, a time-out, or the reason of the signal
   */
  run(event: SecurityEvent, signal?: AbortSignal): Promise<void>
}

/** What the handlers of a Receiver may cost. */
export interface HandlerLimits {
  /** How long each may take, in milliseconds. */
  readonly timeoutMs: number
  /** How many events are handled at a time. */
  readonly maxConcurrent: number
}

/** Makes an empty table of handlers. */
export function createHandlers({ timeoutMs, maxConcurrent }: HandlerLimits): Handlers {
  const places = createPlaces(maxConcurrent)
  const handlers: { readonly type: string; readonly handler: Handler }[] = []
  const types = new Map<string, EventType>()
  return {
    handle: (type: EventType | '*', handler: Handler<never>) => {
      if (type !== '*') types.set(type.uri, type)
      const uri = type === '*' ? type : type.uri
      handlers.push({ type: uri, handler: handler as Handler })
    },
    onSessionTermination: (hook) => {
      const handler: Handler = (event, context) =>
        accessMeaning(event).endsSessions ? hook(terminationOf(event, context)) : undefined
      handlers.push({ type: '*', handler })
    },
    typeOf: (uri) => types.get(uri),
    run(event, signal) {
      const mine = handlers.filter(({ type }) => type === '*' || type === event.type)
      // The type too: a SET of the SCIM family can hold several events.
      const key = JSON.stringify([event.iss, event.jti, event.type])
      return places.run(async () => {
        for (const { handler } of mine) {
          // eslint-disable-next-line no-await-in-loop -- one after the other is the promise
          await inTime(timeoutMs, (limit) => handler(event, contextOf(key, limit)))
        }
      }, signal)
    },
  }
}

/** A signal is made for whoever asks for it: it costs more than most handlers. */
const contextOf = (key: string, limit: TimeLimit): HandlerContext => ({
  key,
  get signal() {
    return limit.signal
  },
})

const terminationOf = (cause: SecurityEvent, context: HandlerContext): SessionTermination => ({
  key: context.key,
  get signal() {
    return context.signal
  },
  subject: cause.subject,
  cause,
})

/** The end of the time that a handler has. */
interface TimeLimit {
  readonly signal: AbortSignal
}

async function inTime(ms: number, work: (limit: TimeLimit) => unknown): Promise<void> {
  let over: AbortController | undefined
  let ended: Error | undefined
  const limit: TimeLimit = {
    get signal() {
      over ??= new AbortController()
      if (ended) over.abort(ended)
      return over.signal
    },
  }
  const result = work(limit)
  // What is done already needs no time.
  if (!isThenable(result)) return
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      ended = new Error(`a handler took longer than ${ms} ms`)
      over?.abort(ended)
      reject(ended)
    }, ms)
  })
  try {
    await Promise.race([result, timeout])
  } finally {
    clearTimeout(timer)
  }
}

const isThenable = (value: unknown): boolean =>
  typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
