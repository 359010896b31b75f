import type { SetClaims } from '@drawbridge/schema'
import type { DeadLetter } from '../store/transmitter-store.ts'
import {
  findReceivingStream,
  findStream,
  type OperationContext,
  type Running,
} from './operation-context.ts'

/** A SET that its Receiver refused. */
export interface DeadLetterReport {
  readonly jti: string
  /** What it says, in the final 1.0 form. */
  readonly claims: SetClaims
  /** Why, in the words of the Receiver, bounded and made printable. */
  readonly reason: string
  /** When it was recorded, in milliseconds since 1970. */
  readonly recordedAt: number
  /** When it was given up. */
  readonly buriedAt: number
}

/** Which dead letters are listed. */
export interface DeadLettersWanted {
  /** How many of the oldest are left out. Default: 0. */
  readonly skip?: number
  /** The most that are listed. Default: 100. */
  readonly limit?: number
}

/** What Receivers refused for good, in the operator's hands. They are about people: show few. */
export interface DeadLetterOperations {
  /**
   * Those of a stream, oldest first.
   *
   * @throws StreamError `ERR_STREAM_NOT_FOUND`
   */
  list(streamId: string, wanted?: DeadLettersWanted): Promise<readonly DeadLetterReport[]>
  /**
   * One of them; undefined where there is none.
   *
   * @throws StreamError `ERR_STREAM_NOT_FOUND`
   */
  read(streamId: string, jti: string): Promise<DeadLetterReport | undefined>
  /**
   * Puts them at the end of what waits, in their order, with the same claims. On a paused stream
   * they wait.
   *
   * @param jtis Default: all that are there when it is called
   * @returns How many there were
   * @throws StreamError `ERR_STREAM_NOT_FOUND`; `ERR_STREAM_CONFLICT` where the stream is disabled
   */
  sendAgain(streamId: string, jtis?: readonly string[]): Promise<number>
  /**
   * Forgets them.
   *
   * @param jtis Default: all that are there when it is called
   * @returns How many there were
   * @throws StreamError `ERR_STREAM_NOT_FOUND`
   */
  purge(streamId: string, jtis?: readonly string[]): Promise<number>
}

/** So many in one transaction: others wait for it. */
const atOnce = 500
const defaultLimit = 100

/** Makes the operations on dead letters of one Transmitter. */
export function createDeadLetterOperations(running: Running): DeadLetterOperations {
  return {
    list: async (streamId, { skip = 0, limit = defaultLimit } = {}) => {
      const context = running()
      findStream(context, streamId)
      return (await context.store.deadLetters(streamId, skip, limit)).map(report)
    },
    read: async (streamId, jti) => {
      const context = running()
      findStream(context, streamId)
      for await (const letters of pages(context, streamId)) {
        const found = letters.find((letter) => letter.jti === jti)
        if (found) return report(found)
      }
      return undefined
    },
    sendAgain: async (streamId, jtis) => {
      const context = running()
      findReceivingStream(context, streamId)
      const { store, delivery, management } = context
      const wanted = jtis ?? (await allJtis(context, streamId))
      const count = await inParts(wanted, async (part) => {
        const at = management.settings.clock.now()
        return (await store.reviveDeadLetters(streamId, part, at)).length
      })
      delivery.wake(streamId)
      return count
    },
    purge: async (streamId, jtis) => {
      const context = running()
      findStream(context, streamId)
      const wanted = jtis ?? (await allJtis(context, streamId))
      return inParts(wanted, (part) => context.store.purgeDeadLetters(streamId, part))
    },
  }
}

function report({ jti, claims, reason, recorded_at, buried_at }: DeadLetter): DeadLetterReport {
  const parsed = JSON.parse(claims) as SetClaims
  return { jti, claims: parsed, reason, recordedAt: recorded_at, buriedAt: buried_at }
}

async function* pages(
  { store }: OperationContext,
  streamId: string,
): AsyncGenerator<readonly DeadLetter[]> {
  for (let skip = 0; ; skip += atOnce) {
    const letters = await store.deadLetters(streamId, skip, atOnce)
    if (letters.length > 0) yield letters
    if (letters.length < atOnce) return
  }
}

/** Before anything is done: what is refused again meanwhile is not sent for ever. */
async function allJtis(context: OperationContext, streamId: string): Promise<readonly string[]> {
  const jtis: string[] = []
  for await (const letters of pages(context, streamId)) jtis.push(...letters.map(({ jti }) => jti))
  return jtis
}

async function inParts(
  jtis: readonly string[],
  work: (part: readonly string[]) => Promise<number>,
): Promise<number> {
  let count = 0
  for (let begin = 0; begin < jtis.length; begin += atOnce) {
    count += await work(jtis.slice(begin, begin + atOnce))
  }
  return count
}
