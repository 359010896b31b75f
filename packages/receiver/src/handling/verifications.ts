import { sameText, type Clock } from '@drawbridge/core'
import { SetError } from '@drawbridge/schema'
import { type VerificationPayload } from '@drawbridge/schema/ssf'

/** The verifications this Receiver asked for, and what came back. */
export interface Verifications {
  /** Makes the `state` of a new request for a stream. */
  expect(streamId: string): string
  /**
   * Takes a Verification event.
   *
   * @throws SetError `invalid_state` where its `state` or subject is not what was asked for
   */
  take(payload: VerificationPayload, streamId: string | undefined): void
  /** Resolves when an event that was asked for has come back; at once where one has already. */
  verified(signal?: AbortSignal): Promise<void>
}

interface Expected {
  readonly state: string
  readonly streamId: string
  /** Milliseconds since 1970. */
  readonly until: number
}

/** A paused stream may hold a Verification event for a while. */
const stateHoldsMs = 24 * 60 * 60 * 1000
/** Of more than these, the oldest are forgotten. */
const mostExpected = 100

/**
 * Makes {@link Verifications}. A `state` is 122 random bits, is compared in constant time, and holds
 * for one stream and one day.
 *
 * @param ownId The `stream_id` of the stream, where it is known
 */
export function createVerifications(ownId: () => string | undefined, clock: Clock): Verifications {
  let expected: readonly Expected[] = []
  const waiting = new Set<() => void>()
  let done = false
  return {
    expect(streamId) {
      const state = crypto.randomUUID()
      const one = { state, streamId, until: clock.now() + stateHoldsMs }
      expected = [...expected.slice(1 - mostExpected), one]
      return state
    },
    take({ state }, streamId) {
      if (streamId === undefined || (ownId() ?? streamId) !== streamId) {
        throw invalidState('the subject of a verification event must be the stream')
      }
      // Without a state the Transmitter verifies by itself (SSF-8.1.4.2-5).
      if (state === undefined) return
      const now = clock.now()
      // All are compared: how long it takes tells nothing. It may come twice.
      const found = expected.filter(
        (one) => sameText(one.state, state) && one.streamId === streamId && one.until > now,
      )
      if (found.length === 0) throw invalidState('"state" is not one that was asked for')
      done = true
      for (const resolve of waiting) resolve()
      waiting.clear()
    },
    verified: (signal) =>
      new Promise((resolve, reject) => {
        if (done) return resolve()
        if (signal?.aborted) return reject(signal.reason as Error)
        const finish = (): void => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        const abort = (): void => {
          waiting.delete(finish)
          reject(signal?.reason as Error)
        }
        waiting.add(finish)
        signal?.addEventListener('abort', abort, { once: true })
      }),
  }
}

const invalidState = (message: string): SetError =>
  new SetError('ERR_SET_STATE', 'invalid_state', message)
