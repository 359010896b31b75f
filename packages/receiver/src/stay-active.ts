import type { Clock } from '@drawbridge/core'

/** What {@link stayActive} needs. */
export interface StayActiveParts {
  /** The `inactivity_timeout` of the stream, in seconds. */
  readonly timeoutSeconds: number
  /** Asks for the stream by name, which is activity. Never rejects. */
  readonly ask: () => Promise<void>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Two of three times it may fail. */
const parts = 3

/**
 * Keeps a pushed stream from counting as inactive, until the signal aborts: taking SETs is no
 * activity, and a stream that is left alone is paused or deleted.
 *
 * @see OpenID SSF 1.0, "Stream Configuration" (`inactivity_timeout`)
 */
export async function stayActive({
  timeoutSeconds,
  ask,
  clock,
  signal,
}: StayActiveParts): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(Math.max(1000, (timeoutSeconds * 1000) / parts), signal)
    if (!signal.aborted) await ask()
  }
}
